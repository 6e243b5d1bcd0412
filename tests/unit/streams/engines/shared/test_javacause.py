"""An error of Java in one line."""

from streams.engines.shared.javacause import java_cause

TRACE = """An error occurred while calling o42.execute.
: org.apache.flink.table.api.TableException: Failed to execute sql
\tat org.apache.flink.Executor.run(Executor.java:1)
Caused by: org.apache.flink.util.FlinkException: Failed to execute job
\t... 9 more
Caused by: java.net.ConnectException: Connection refused
\t... 12 more
"""


def test_the_last_cause_tells_most() -> None:
    """The first line says only that a call has failed."""
    assert java_cause(RuntimeError(TRACE)) == "java.net.ConnectException: Connection refused"


def test_without_a_cause_it_is_the_first_line_with_text() -> None:
    """A trace is not printed in full."""
    assert java_cause(RuntimeError("\nboom\n\tat a.b")) == "boom"


def test_an_error_without_text_is_named_by_its_type() -> None:
    """A message never is empty."""
    assert java_cause(ConnectionResetError()) == "ConnectionResetError"
