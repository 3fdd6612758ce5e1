"""What a user holds, and the way from one to the next: fetch, frame, diff, plan, push, report."""
