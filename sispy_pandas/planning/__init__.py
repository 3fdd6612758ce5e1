"""From a frame to a plan: matching, comparing, merging, showing; the workings of `diff` and `plan`."""
