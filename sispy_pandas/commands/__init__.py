"""The commands of the `sispy` command line that need the toolkit, a module each."""
