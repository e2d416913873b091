"""An independent model of the project tree, written from the rules alone, to test the server by."""
