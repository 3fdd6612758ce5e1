"""From a plan to a report: guard, requests, outcomes; the workings of `push` and `report`."""
