"""The command `logintel`, also as `python -m logintel`."""

import signal


def main() -> None:
    """Run the command line. An interrupt that comes while it is being imported ends it without a traceback."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from logintel import cli

    signal.signal(signal.SIGINT, before)
    cli.main()


if __name__ == "__main__":
    main()
