from vae_explorer.lessons.course import bundled_lessons
from vae_explorer.session.terms import TERMS, sign_of, term_of


def test_each_term_is_one_sentence_and_its_lesson_is_there() -> None:
    lessons = {lesson.id for lesson in bundled_lessons()}
    for term in TERMS:
        assert term.lesson in lessons, term.name
        assert term.lesson_name == f"Lesson {term.lesson[0]}"
        assert term.meaning.endswith("."), term.name
        assert ". " not in term.meaning, "one sentence"


def test_no_name_stands_for_two_terms() -> None:
    names = [name.casefold() for term in TERMS for name in (term.name, *term.others)]
    assert len(names) == len(set(names))


def test_a_term_is_found_whatever_its_case_and_sign() -> None:
    found = term_of("− KL")
    assert found is term_of("kl") is not None
    assert sign_of("− KL") == "− "
    assert term_of("Gap") is term_of("gap")
    assert term_of("ELBO ‡") is term_of("ELBO ‡ cross-entropy, no likelihood") is term_of("elbo")
    assert term_of("epochs") is term_of("") is None
