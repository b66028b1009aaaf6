"""What an operation's input is read as."""

import json

import pytest

from shared.training.messages import messages

USER = {"role": "user", "content": "hello"}


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "",
        "[]",
        "[1, 2]",
        "[not json",
        '{"role": "user", "content": "x"}',
        '["user", "hello"]',
        '[{"role": "user"}]',
        '[{"role": "user", "content": null}]',
        '[{"role": "user", "content": []}]',
        '[{"role": "tool", "content": "42"}]',
        '[{"role": ["user"], "content": "x"}]',
        '[{"role": "user", "content": "x"}, 7]',
        '[{"role": "assistant", "content": "x", "tool_calls": [{"id": "1"}]}]',
        '[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}]',
        '[{"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image"}]}]',
        '[{"role": "user", "content": "\\ud800"}]',
        "[" * 30_000,
    ],
)
def test_what_is_no_chat_of_texts_is_one_user_message(text: str) -> None:
    assert messages(text) == [{"role": "user", "content": text}]


@pytest.mark.parametrize(
    "chat",
    [
        [USER],
        [{**USER, "name": "ann", "id": 7}],
        [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        [{"role": "user", "content": [{"text": "hello"}]}],
        [{"role": "user", "content": ["hello"]}],
        [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
    ],
)
def test_a_chat_in_any_of_its_forms_is_read(chat: list[object]) -> None:
    assert messages(" \n" + json.dumps(chat)) == [USER]


def test_turns_keep_their_order_and_developers_are_the_system() -> None:
    chat = [
        {"role": "developer", "content": "be brief"},
        USER,
        {"role": "assistant", "content": ""},
    ]
    assert messages(json.dumps(chat)) == [
        {"role": "system", "content": "be brief"},
        USER,
        {"role": "assistant", "content": ""},
    ]


def test_parts_of_a_message_are_its_paragraphs() -> None:
    chat = [{"role": "user", "content": [{"type": "text", "text": "a"}, {"text": "b"}]}]
    assert messages(json.dumps(chat)) == [{"role": "user", "content": "a\nb"}]
