"""What the cells of one column mean, found once by the profile and applied ever after."""
