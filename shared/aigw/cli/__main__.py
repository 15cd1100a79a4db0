"""`python -m aigw.cli`, where the console script is not on the path."""

from aigw.cli import main

if __name__ == "__main__":
    main()
