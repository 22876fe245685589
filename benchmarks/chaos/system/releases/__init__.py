"""What two releases side by side do not have in common, each a module of EXTRA_PACKAGES."""
