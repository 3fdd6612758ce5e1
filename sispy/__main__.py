"""`python -m sispy`: the command line."""

from sispy.cli import main

main(prog_name="sispy")
