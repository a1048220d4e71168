"""Prefect's server for the time of one run: `python -m flows.serving PORT`, on 127.0.0.1."""

import gc
import sys


def main() -> None:
    """Serves until it is told to end."""
    # What is loaded stays: to look for garbage meanwhile would take a fifth of the start.
    gc.disable()
    import uvicorn
    from prefect.server.api.server import create_app

    app = create_app()
    gc.freeze()
    gc.enable()
    port = int(sys.argv[1])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    main()
