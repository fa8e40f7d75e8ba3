"""What is read of the API's responses while answers are waited for."""

from __future__ import annotations

import pytest
from scenarios.reaction import Reaction, reaction_report, response_status

RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n" + b'{"serial":1}'
)


def test_a_response_has_a_status_once_it_is_whole():
    assert response_status(RESPONSE) == 200
    assert response_status(RESPONSE.replace(b"200 OK", b"422 Unprocessable Entity")) == 422
    for end in range(len(RESPONSE)):
        assert response_status(RESPONSE[:end]) is None


def test_an_answer_before_the_response_took_no_time_after_it():
    assert Reaction(accepted=0.005, answered=0.004).after_acceptance_ms == 0.0
    assert Reaction(accepted=0.004, answered=0.0055).after_acceptance_ms == pytest.approx(1.5)


def test_a_report_is_in_milliseconds():
    report = reaction_report([Reaction(0.004, 0.006), Reaction(0.002, 0.001)])
    assert report["requested_to_answered_ms"] == {"count": 2, "p50": 1.0, "p99": 6.0, "max": 6.0}
    assert report["accepted_to_answered_ms"]["max"] == 2.0
