"""What a completion is worth: money, decay, places, prerequisites, pools, and the working of every award."""
