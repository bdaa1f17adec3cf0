"""From award lines to a plan of batches: pure, exact, and the same for ever."""
