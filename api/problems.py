"""The one table of problems (RFC 9457): every code the service answers with, its status, and what to do about it.

`GET /problems/{code}` shows a row; the `type` of every problem points there. A code without a row is a bug, which
tests/api/test_problems.py looks for in the other rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from api.problem import Problem
from api.problems_of_money import MONEY, MONTHS

_IDENTITY = (
    Problem(
        "unauthenticated",
        401,
        "No valid token",
        "The request carries no token, or one that is unknown or revoked.",
        "Send `Authorization: Bearer qb_…` with a token of your project; an admin of the project can make one.",
    ),
    Problem(
        "token_expired",
        401,
        "The token has expired",
        "The token was valid once; its time is over.",
        "Ask an admin of your project for a new token.",
    ),
    Problem(
        "forbidden",
        403,
        "Your role does not allow this",
        "The token is valid, and its role may not do this.",
        "Ask someone with the role named in the detail; `GET /v1/me` shows yours.",
    ),
)

_REQUEST = (
    Problem(
        "not_found",
        404,
        "Not found",
        "There is no such thing, or it belongs to another project.",
        "Check the address and the id, and that the token is of the right project.",
    ),
    Problem(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The address exists and does not take this method.",
        "Use one of the methods in the Allow header.",
    ),
    Problem(
        "idempotency_conflict",
        409,
        "The idempotency key was used for another request",
        "A job was made under this key from a different body.",
        "Send the very same body to get that job again, or a new key for a new job.",
    ),
    Problem(
        "job_not_finished",
        409,
        "The job has not ended yet",
        "What was asked for exists once the job has ended.",
        "Wait for the end: add `?wait=60`, or follow `/v1/jobs/{id}/events`.",
    ),
    Problem(
        "job_has_no_result",
        409,
        "The job ended without a result",
        "The job failed or was cancelled.",
        "Read the job's `problem`; a failed job can be submitted again under a new idempotency key.",
    ),
    Problem(
        "job_ended",
        409,
        "The job has already ended",
        "A job that has ended cannot be cancelled.",
        "Nothing is left to do; read its result or its receipt.",
    ),
    Problem(
        "already_exists",
        409,
        "There is one of that name",
        "Names of this kind, and keys of payments, are given once.",
        "Use the one that exists, or choose another name.",
    ),
    Problem(
        "body_too_large",
        413,
        "The request body is too large",
        "The body is longer than the service reads.",
        "Split the batch, send circuits once under `circuits`, or bind parameters as arrays of one circuit.",
    ),
    Problem(
        "unsupported_media_type",
        415,
        "The body is encoded in a way the service does not read",
        "Request bodies are JSON in UTF-8 without a content encoding.",
        "Send the body without Content-Encoding.",
    ),
    Problem(
        "invalid_request",
        422,
        "The request is not valid",
        "A field is missing, unknown, of the wrong kind or out of its range; `errors` names each by JSON pointer.",
        "Correct the fields named in `errors`; /docs shows every request with an example.",
    ),
)

_WORK = (
    Problem(
        "circuit_invalid",
        422,
        "The circuit cannot be read",
        "The text or file is not a circuit of the format it says, or it uses a gate that is not known.",
        "Correct the place named in the detail.",
    ),
    Problem(
        "circuit_too_large",
        422,
        "The circuit is over a limit",
        "Qubits, bits, operations, nesting or bytes are more than the service takes.",
        "Make the circuit smaller than the limit named, or split it over several jobs.",
    ),
    Problem(
        "payload_unsupported",
        422,
        "The format version is not supported",
        "QPY below 13 is refused for safety; QPY newer than the service's own cannot be read.",
        "Write the circuit in a version that the detail names, or send OpenQASM.",
    ),
    Problem(
        "no_measurement",
        422,
        "A sampler needs a measurement",
        "The circuit measures nothing, so there is nothing to sample.",
        "Add measurements, for instance `circuit.measure_all()`.",
    ),
    Problem(
        "shots_out_of_range",
        422,
        "Shots out of range",
        "Shots are at least 1 and at most the limit named.",
        "Choose another number, or spread the shots over several PUBs.",
    ),
    Problem(
        "precision_out_of_range",
        422,
        "Precision out of range",
        "Precision is 0 (exact) or at least the limit named.",
        "Choose a coarser precision, or 0.",
    ),
    Problem(
        "parameters_unbound",
        422,
        "Parameters without values",
        "The circuit has parameters that got no value.",
        "Give `parameter_values` for each of the circuit's parameters.",
    ),
    Problem(
        "parameters_shape",
        422,
        "Parameter values of the wrong shape",
        "The shape does not fit the number of parameters, or the observables' shape.",
        "The last axis counts the circuit's parameters; the axes before it broadcast with the observables'.",
    ),
    Problem(
        "parameters_not_finite",
        422,
        "Parameter values must be finite numbers",
        "A parameter value is not a number, infinite, or complex.",
        "Replace the values named in the detail.",
    ),
    Problem(
        "observable_invalid",
        422,
        "The observable cannot be read",
        "An observable is a real combination of Pauli strings; this one is not, or it is not Hermitian.",
        "Write Pauli strings of I, X, Y, Z with real coefficients.",
    ),
    Problem(
        "observable_width",
        422,
        "Observable and circuit differ in width",
        "Each Pauli string has one letter for each qubit of the circuit.",
        "If the circuit was laid out on a device, call `observable.apply_layout(circuit.layout)`.",
    ),
    Problem(
        "unknown_backend",
        422,
        "There is no such backend",
        "The name is none of the backends offered.",
        "Use `auto`, or a name from `GET /v1/backends`.",
    ),
    Problem(
        "backend_infeasible",
        422,
        "The backend cannot run this circuit",
        "The circuit is too wide, too large in memory, or uses what the method cannot do.",
        "Use `auto`, or a backend that the detail recommends.",
    ),
    Problem(
        "circuit_not_isa",
        422,
        "The circuit is not one that the device takes as it stands",
        "It was to run as it is, and a gate is not the device's own or not there on these qubits.",
        "Compile it for the device's target, or let the service do it: leave `options.compilation.mode` out.",
    ),
    Problem(
        "option_invalid",
        422,
        "An option of compilation or mitigation is not valid",
        "The option named in the detail is unknown, out of its range, or does not fit the circuit or the backend.",
        "Correct the option, or leave it out.",
    ),
    Problem(
        "control_flow_too_deep",
        422,
        "Control flow nested too deep",
        "Loops and conditions inside each other, or loop counts multiplied, are over the limit.",
        "Flatten the control flow.",
    ),
    Problem(
        "result_too_large",
        422,
        "The result would be too large",
        "Shots times bits times parameter sets are more bytes than the service stores or converts.",
        "Split the work, ask for fewer shots, or read the result with `format=arrays`.",
    ),
    Problem(
        "decoder_crashed",
        422,
        "The decoder crashed on this circuit",
        "Reading the circuit ended the decoder's process; nothing else was harmed and nothing charged.",
        "Write the circuit in another format, or in simpler terms.",
    ),
    Problem(
        "decoder_timeout",
        422,
        "The circuit takes too long to read",
        "Reading the circuit took longer than the decoder may.",
        "Send QPY instead of OpenQASM 3, or a smaller circuit.",
    ),
    Problem(
        "decoder_memory",
        422,
        "The circuit takes too much memory to read",
        "Reading the circuit needed more memory than the decoder has.",
        "Send a smaller circuit.",
    ),
)

_FACILITY = (
    Problem(
        "queue_full",
        429,
        "The project has too many jobs waiting",
        "The number of queued jobs of the project is at its limit.",
        "Try again after the seconds in Retry-After, when some have started.",
    ),
    Problem(
        "too_many_streams",
        429,
        "Too many open streams",
        "The number of event streams and long polls open at once is at its limit.",
        "Close streams that are not needed; one stream on /v1/events carries all jobs of a project.",
    ),
    Problem(
        "internal",
        500,
        "Something went wrong on our side",
        "A bug or a broken part of the facility; the request id in the answer leads the operators to it.",
        "Try again; with the same idempotency key that is safe. If it persists, report the request id.",
    ),
    Problem(
        "unavailable",
        503,
        "The service is not available",
        "The service is starting, stopping or has lost its database for a moment.",
        "Try again after the seconds in Retry-After; with the same idempotency key that is safe.",
    ),
)

_JOB_ENDS = (
    Problem(
        "circuit_failed",
        422,
        "The circuit failed to run",
        "The backend accepted the circuit and could not run it.",
        "The detail names the cause; what had been used is charged.",
    ),
    Problem(
        "time_limit_reached",
        422,
        "The job reached its time limit",
        "The job was stopped at its time limit; what was used is charged.",
        "Raise `time_limit_s`, or split the work.",
    ),
    Problem(
        "memory_limit_reached",
        422,
        "The job reached the memory limit",
        "The job needed more memory than a worker has; what was used is charged.",
        "Use fewer qubits, or another backend.",
    ),
    Problem(
        "engine_crashed",
        500,
        "The engine crashed on this circuit",
        "The engine's process ended while it ran this circuit, also when tried again; nothing is charged.",
        "Try another backend, or write the circuit in simpler gates.",
    ),
    Problem(
        "platform_fault",
        500,
        "The facility failed to run the job",
        "Workers failed or were lost more often than the facility tries again; nothing is charged.",
        "Submit the job again under a new idempotency key.",
    ),
)

PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    {each.code: each for each in (*_IDENTITY, *_REQUEST, *_WORK, *MONEY, *MONTHS, *_FACILITY, *_JOB_ENDS)}
)


def problem_of(code: str) -> Problem:
    """The row of `code`; for a code that has none, the row `internal`: an unknown no is a bug, not the caller's."""
    return PROBLEMS.get(code, PROBLEMS["internal"])
