"""What turns pictures into grid features: one file a family of networks."""
