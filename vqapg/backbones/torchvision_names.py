"""The convolutional classifiers of torchvision by name, so that a list of them needs no
torchvision.

Its transformers (vit, swin, maxvit) are left out: they have no convolutional feature map.
"""

FAMILIES = {
    "AlexNet (Krizhevsky et al., 2012)": "alexnet",
    "ConvNeXt (Liu et al., 2022)": "convnext_base convnext_large convnext_small convnext_tiny",
    "DenseNet (Huang et al., 2017)": "densenet121 densenet161 densenet169 densenet201",
    "EfficientNet (Tan and Le, 2019)": (
        "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 "
        "efficientnet_b4 efficientnet_b5 efficientnet_b6 efficientnet_b7"
    ),
    "EfficientNetV2 (Tan and Le, 2021)": "efficientnet_v2_l efficientnet_v2_m efficientnet_v2_s",
    "GoogLeNet (Szegedy et al., 2015)": "googlenet",
    "Inception v3 (Szegedy et al., 2016)": "inception_v3",
    "MnasNet (Tan et al., 2019)": "mnasnet0_5 mnasnet0_75 mnasnet1_0 mnasnet1_3",
    "MobileNetV2 (Sandler et al., 2018)": "mobilenet_v2",
    "MobileNetV3 (Howard et al., 2019)": "mobilenet_v3_large mobilenet_v3_small",
    "RegNet (Radosavovic et al., 2020)": (
        "regnet_x_16gf regnet_x_1_6gf regnet_x_32gf regnet_x_3_2gf regnet_x_400mf "
        "regnet_x_800mf regnet_x_8gf regnet_y_128gf regnet_y_16gf regnet_y_1_6gf "
        "regnet_y_32gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf regnet_y_8gf"
    ),
    "ResNet (He et al., 2016)": "resnet101 resnet152 resnet18 resnet34 resnet50",
    "ResNeXt (Xie et al., 2017)": "resnext101_32x8d resnext101_64x4d resnext50_32x4d",
    "ShuffleNetV2 (Ma et al., 2018)": (
        "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0"
    ),
    "SqueezeNet (Iandola et al., 2016)": "squeezenet1_0 squeezenet1_1",
    "VGG (Simonyan and Zisserman, 2015)": (
        "vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn"
    ),
    "Wide ResNet (Zagoruyko and Komodakis, 2016)": "wide_resnet101_2 wide_resnet50_2",
}
TORCHVISION = {
    name: f"{family}, from torchvision"
    for family, names in FAMILIES.items()
    for name in names.split()
}
