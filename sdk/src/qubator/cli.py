"""The command `qubator`: the client for the command line. Results on standard output, everything else on standard
error; no traceback for anything that is expected to go wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from qubator import cli_account, cli_backends, cli_events, cli_jobs, cli_proof, cli_route
from qubator.cli_frame import EXIT_CODES, INTERRUPTED, OK, REFUSED, Frame, exit_code, tell
from qubator.errors import QubatorError


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.option("--url", metavar="URL", help="The service's address (else QUBATOR_URL, else the profile).")
@click.option("--profile", metavar="NAME", help="The profile to use (else QUBATOR_PROFILE, else the default one).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on standard output (also after the command).")
@click.pass_context
def qubator(context: click.Context, url: str | None, profile: str | None, as_json: bool) -> None:
    """Run quantum circuits on shared backends, and see what they cost.

    Begin with `qubator login URL`, then `qubator submit bell.qasm --wait`.
    """
    frame = context.ensure_object(Frame)
    frame.url, frame.profile = url, profile
    frame.as_json |= as_json


for _command in (
    cli_account.login,
    cli_jobs.submit,
    cli_jobs.quote,
    cli_route.route,
    cli_jobs.jobs,
    cli_jobs.job,
    cli_jobs.result,
    cli_proof.receipt,
    cli_jobs.cancel,
    cli_events.events,
    cli_account.quota,
    cli_account.statement,
    cli_backends.backends,
    cli_proof.ledger,
    cli_account.version,
):
    _command.epilog = EXIT_CODES
    qubator.add_command(_command)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    frame = Frame(as_json="--json" in (sys.argv[1:] if arguments is None else arguments))
    try:
        code = qubator.main(
            None if arguments is None else list(arguments), prog_name="qubator", standalone_mode=False, obj=frame
        )
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output (head, less) has gone: nothing is left to say, also not at interpreter exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except QubatorError as error:
        tell(error, as_json=frame.as_json)
        return exit_code(error)
    except (ValueError, TypeError, OSError) as error:
        tell(error, as_json=frame.as_json)
        return REFUSED
    return code if isinstance(code, int) else OK


def main() -> None:
    """The console script."""
    sys.exit(run())


if __name__ == "__main__":
    main()
