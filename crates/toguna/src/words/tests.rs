use super::*;

#[test]
fn a_figure_says_how_far_it_can_be_relied_on() {
    let amounts = vec![Money { currency_code: "EUR".to_owned(), minor_units: 2_000_000_000 }];
    let certain =
        Figure { amounts, certainty: Certainty::Inferred.into(), unconfirmed: true, records: 1, ..Figure::default() };
    assert_eq!(figure(Language::En, Some(&certain)), "EUR 20,000,000.00 ≈ ?");
    assert_eq!(figure(Language::En, Some(&Figure::default())), "—");
}

#[test]
fn a_text_is_given_in_the_other_language_where_it_has_none_and_a_translation_is_marked() {
    let wording = |text: &str, origin: TextOrigin| Some(Text { text: text.to_owned(), origin: origin.into() });
    let both =
        LocalizedText { fr: wording("Volet", TextOrigin::Official), en: wording("Window", TextOrigin::Translation) };
    assert_eq!(text(Language::Fr, Some(&both)), "Volet");
    assert_eq!(text(Language::En, Some(&both)), "Window *");
    let french = LocalizedText { en: None, ..both };
    assert_eq!(text(Language::En, Some(&french)), "Volet");
}

#[test]
fn states_are_said_in_the_words_of_the_field() {
    assert_eq!(named(Language::Fr, "COMMITMENT_STATUS_IN_PROGRESS", "COMMITMENT_STATUS_"), "en cours");
    assert_eq!(
        named(Language::En, "AGREEMENT_PHASE_PROVISIONALLY_APPLIED", "AGREEMENT_PHASE_"),
        "provisionally applied"
    );
}

#[test]
fn an_open_period_has_an_open_end() {
    let start = Some(Date { year: 2015, month: 11, day: 12 });
    assert_eq!(period(Language::En, Some(&Period { start, end: None })), "12 November 2015 – …");
}
