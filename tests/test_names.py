"""Short names of contenders, and words that are explained."""

import copy
import json

from hypothesis import given
from hypothesis import strategies as st
from keep_documents import CASES, stored

from bayescore.report import glossary, names
from bayescore.report.content import content

NAMES = st.lists(
    st.sampled_from(["exact", "pyro:svi#1", "pyro:svi", "pyro:nuts(draws=9999, chains=9)"])
    | st.from_regex(r"\A(pyro|é:svi|program=file)[(=:#]{1,2}[a-z0-9=, .]{0,60}\)?\Z"),
    unique=True,
)


@given(NAMES)
def test_short_names_are_short_and_tell_contenders_apart(listed):
    found = names.short(listed)
    shown = [found.get(name, name) for name in listed]
    assert len(set(shown)) == len(listed)
    assert all(len(name) <= 23 for name in shown)
    assert all(found.get(name) is None for name in listed if len(name) <= 16)


def test_one_with_settings_is_numbered_beside_the_plain_one():
    listed = ["pyro:svi", "pyro:svi(guide=full_rank)", "pyro:svi#1", "pyro:svi(guide=full_rank, steps=5)"]
    assert names.short(listed) == {listed[1]: "pyro:svi#2", listed[3]: "pyro:svi#3"}


def test_no_long_name_is_left_anywhere_and_none_is_broken():
    long = "numeric:svi(guide=full_rank, draws=2)"
    document = copy.deepcopy(stored("guides"))
    text = json.dumps(document).replace("numeric:svi(guide=full_rank)", long)
    shown, legend = names.shortened(json.loads(text))
    assert legend == {"numeric:svi#1": long}
    assert long not in json.dumps(shown)
    assert shown == json.loads(text.replace(long, "numeric:svi#1"))


def test_every_word_of_the_glossary_is_met_in_some_report_and_explained_once():
    met = set()
    for name in CASES:
        words = [word for section in content(stored(name)).sections for word, _ in section.words]
        assert len(words) == len(set(words))
        met.update(words)
    assert met >= set(glossary.WORDS) - {"margin", "apart", "suspect1, ...", "guide"}
