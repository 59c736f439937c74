"""Contenders that tell one another what they found: who has ended is not waited for, and nobody is a round ahead."""

import pickle

from bayescore.comparison.meeting import Meeting, given_in, met_in


def give(meeting, tmp_path, name, number, log):
    folder = tmp_path / name
    folder.mkdir(exist_ok=True)
    given_in(folder, number).write_bytes(pickle.dumps(f"{name}{number}"))
    meeting.give(name, number, folder, lambda: log.append((name, number, met_in(folder, number).exists())))


def met(tmp_path, name, number):
    return {
        who: pickle.loads(content)
        for who, content in pickle.loads(met_in(tmp_path / name, number).read_bytes()).items()
    }


def test_a_round_ends_when_all_have_given_and_whoever_goes_on_is_told_before_he_finds_anything(tmp_path):
    meeting, log = Meeting(["a", "b"]), []
    give(meeting, tmp_path, "b", 1, log)
    assert log == []
    give(meeting, tmp_path, "a", 1, log)
    assert sorted(log) == [("a", 1, False), ("b", 1, False)]
    assert met(tmp_path, "a", 1) == met(tmp_path, "b", 1) == {"a": "a1", "b": "b1"}
    assert list(met(tmp_path, "a", 1)) == ["a", "b"]  # in the contenders' order, not in that of coming


def test_who_has_ended_is_not_waited_for(tmp_path):
    meeting, log = Meeting(["a", "b", "c"]), []
    give(meeting, tmp_path, "a", 1, log)
    meeting.leave("c")
    give(meeting, tmp_path, "b", 1, log)
    assert met(tmp_path, "a", 1) == {"a": "a1", "b": "b1"}
    give(meeting, tmp_path, "a", 2, log)
    meeting.leave("b")
    assert met(tmp_path, "a", 2) == {"a": "a2"}
    meeting.leave("a")
    meeting.leave("a")
