"""Programs to read and to run; a package, so that `python -m examples.demo` finds them and no other `examples`."""
