"""From a frame to changes: matching, comparing, merging, showing."""
