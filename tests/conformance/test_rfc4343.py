"""RFC 4343: case."""

from __future__ import annotations

import dns.message
import pytest

from tests.engine import APEX


@pytest.fixture
def server(engine):
    return engine(
        {
            "Example.COM.": APEX
            + "WwW 300 IN A 192.0.2.1\n\\193 300 IN A 192.0.2.2\n*.Wild 60 IN A 192.0.2.3\n"
        }
    )


@pytest.mark.parametrize(
    "name", ["www.example.com.", "WWW.EXAMPLE.COM.", "wWw.eXaMpLe.cOm.", "X.wILD.example.com."]
)
def test_section_3_names_match_in_any_case_and_the_questions_case_is_kept(server, name):
    query = dns.message.make_query(name, "A")
    answer = dns.message.from_wire(server.raw(query.to_wire()))
    assert len(answer.answer) == 1
    # dnspython's names compare in any case: compare text.
    assert answer.question[0].name.to_text() == name
    assert answer.answer[0].name.to_text() == name


def test_section_2_only_ascii_letters_have_case(server):
    """193 and 225 differ by 32, as A and a do, but are no letters."""
    assert len(server.ask(r"\193.example.com.").answer) == 1
    assert not server.ask(r"\225.example.com.").answer
