"""Reading VQA v2.0: writes files of the official form and size, then times `vqapg prepare` on them.

    python benchmarks/read_vqa2.py FOLDER              all 658,111 questions; FOLDER takes about 1
    GB python benchmarks/read_vqa2.py FOLDER --share 0.1  a tenth of them

Prints wall and CPU seconds and the peak memory of the command. The target: under 2 minutes and 2
GiB on 2 cores.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

PARTS = {"train": (443_757, 82_783), "val": (214_354, 40_504)}  # questions, images
STARTS = (
    "What is the",
    "What color is the",
    "How many",
    "Is the",
    "Are there any",
    "Where is the",
    "Why is the",
    "Which",
)


def write(folder, share):
    generator = random.Random(1)
    words = [
        "".join(generator.choices("abcdefghijklmnopqrstuvwxyz", k=generator.randint(2, 9)))
        for _ in range(8000)
    ]
    for part, (questions, images) in PARTS.items():
        questions, images = round(share * questions), round(share * images)
        (folder / f"{part}2014").mkdir(parents=True, exist_ok=True)
        for image in range(images):
            (folder / f"{part}2014/COCO_{part}2014_{image:012d}.jpg").touch()
        asked, annotated = [], []
        for number in range(questions):
            answer = generator.choice(("yes", "no", "2", generator.choice(words)))
            start = generator.choice(STARTS)
            text = f"{start} {' '.join(generator.choices(words, k=generator.randint(2, 5)))}?"
            asked.append({"image_id": number % images, "question": text, "question_id": number})
            annotated.append(
                {
                    "question_type": "what is the",
                    "multiple_choice_answer": answer,
                    "image_id": number % images,
                    "answers": [
                        {"answer": answer, "answer_confidence": "yes", "answer_id": n}
                        for n in range(1, 11)
                    ],
                    "answer_type": "other",
                    "question_id": number,
                }
            )
        for name, key, items in (
            ("v2_OpenEnded_mscoco_{}2014_questions.json", "questions", asked),
            ("v2_mscoco_{}2014_annotations.json", "annotations", annotated),
        ):
            (folder / name.format(part)).write_text(
                json.dumps({"info": {}, "license": {}, key: items})
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    args = parser.parse_args()
    if not (args.folder / "val2014").exists():
        write(args.folder, args.share)
    started = time.perf_counter()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "vqapg.cli.main",
            "prepare",
            "--dataset",
            "vqa2",
            "--source",
            args.folder,
            "--dest",
            args.folder / "data",
            "--overwrite",
            "--valid-pairs",
            str(round(10_000 * args.share)),
        ],
        check=True,
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"{time.perf_counter() - started:.1f} s wall, {used.ru_utime + used.ru_stime:.1f} s CPU, "
        f"peak {used.ru_maxrss / 2**20:.2f} GiB"
    )


if __name__ == "__main__":
    main()
