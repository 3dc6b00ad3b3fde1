//! One plan: its tree of items, what answers each, and sums up the tree.

use std::collections::{BTreeSet, HashMap};

use contracts::toguna::{
    commitments::events::v1::{ActionPlanAdopted, PlanItemAdded},
    oversight::v1 as pb,
    r#type::v1::{Date, Period},
};

use super::{Answers, holds, tally};
use crate::{
    commitment::CommitmentState, events::commitments::Commitment, evidence::Evidence, initiative::InitiativeState,
    measurement::Measured, view::View,
};

/// A plan of a framework.
pub(super) struct Plan<'a> {
    framework: &'a str,
    adopted: &'a ActionPlanAdopted,
    prolonged_until: Option<Date>,
    /// Each after the one above it, else in order of recording.
    items: Vec<&'a PlanItemAdded>,
}

impl<'a> Plan<'a> {
    /// The plans that were adopted, or are answered already, in order of adoption.
    pub fn all(framework: &'a str, view: &View<'a>, answers: &Answers<'a>) -> Vec<Self> {
        let log = view.commitments;
        let mut plans = Vec::new();
        for seen in log.known(framework) {
            let Commitment::ActionPlanAdopted(adopted) = seen.fact() else { continue };
            let mut answered = answers.commitments.iter().filter_map(|commitment| commitment.answers);
            if seen.said.counts_from <= log.as_of || answered.any(|item| item.plan == adopted.plan) {
                plans.push((seen.said.counts_from, seen.record.version, adopted));
            }
        }
        plans.sort_by_key(|(adopted_on, version, _)| (*adopted_on, *version));
        plans.into_iter().map(|(_, _, adopted)| Self::new(framework, view, adopted)).collect()
    }

    fn new(framework: &'a str, view: &View<'a>, adopted: &'a ActionPlanAdopted) -> Self {
        let log = view.commitments;
        let prolonged = log.counted(framework).filter_map(|seen| match seen.fact() {
            Commitment::ActionPlanProlonged(event) if event.plan == adopted.plan => event.valid_until,
            _ => None,
        });
        let items = log.known(framework).filter_map(|seen| match seen.fact() {
            Commitment::PlanItemAdded(item) if item.plan == adopted.plan => {
                holds(seen.said.provenance.effective_on, log.as_of).then_some(item)
            }
            _ => None,
        });
        Self { framework, adopted, prolonged_until: prolonged.last(), items: in_tree_order(&items.collect::<Vec<_>>()) }
    }

    /// What the scoreboard says of it; adds to the evidence what was measured.
    pub fn report(&self, view: &View<'a>, answers: &Answers<'a>, evidence: &mut Evidence) -> pb::PlanScore {
        let places: HashMap<&str, usize> =
            self.items.iter().enumerate().map(|(index, item)| (item.item.as_str(), index)).collect();
        let mut whole = Node::default();
        let mut nodes: Vec<Node<'_, 'a>> = self.items.iter().map(|_| Node::default()).collect();
        for commitment in &answers.commitments {
            let item = commitment.answers.filter(|item| item.plan == self.adopted.plan);
            let Some(item) = item else { continue };
            let scored = scored(commitment, view);
            let place = places.get(item.item.as_str()).copied();
            for above in self.above(place, &places) {
                tally::count(&mut nodes[above].tally, &scored);
            }
            tally::count(&mut whole.tally, &scored);
            let node = place.map_or(&mut whole, |place| &mut nodes[place]);
            node.subjects.insert(commitment.name);
            node.commitments.push(scored);
        }
        for initiative in &answers.initiatives {
            for place in self.places_served(initiative, &places) {
                for above in self.above(place, &places) {
                    nodes[above].served_by.insert(initiative.name);
                }
                whole.served_by.insert(initiative.name);
                let node = place.map_or(&mut whole, |place| &mut nodes[place]);
                node.subjects.insert(initiative.name);
                node.initiatives.push(initiative);
            }
        }
        let items = self.items.iter().zip(nodes).map(|(item, node)| item_score(item, node.score(answers, evidence)));
        let items = items.collect();
        let whole = whole.score(answers, evidence);
        pb::PlanScore {
            plan: self.adopted.plan.clone(),
            title: self.adopted.title.clone(),
            validity: self.validity(),
            tally: Some(whole.tally),
            commitments: whole.commitments,
            initiatives: whole.initiatives,
            measurements: whole.measurements,
            items,
        }
    }

    fn validity(&self) -> Option<Period> {
        let validity = self.adopted.validity;
        match self.prolonged_until {
            None => validity,
            end => Some(Period { start: validity.and_then(|validity| validity.start), end }),
        }
    }

    /// A place and those above it; each stands after the one above it, so that this ends.
    fn above(&self, place: Option<usize>, places: &HashMap<&str, usize>) -> Vec<usize> {
        let parent =
            |place: &usize| places.get(self.items[*place].parent.as_str()).copied().filter(|parent| parent < place);
        std::iter::successors(place, parent).collect()
    }

    /// The items that an initiative serves, each once; `None`: the plan as a whole, or an item that it does not have.
    fn places_served(
        &self,
        initiative: &InitiativeState<'_>,
        places: &HashMap<&str, usize>,
    ) -> BTreeSet<Option<usize>> {
        let served =
            initiative.serves().filter(|item| item.framework == self.framework && item.plan == self.adopted.plan);
        served.map(|item| places.get(item.item.as_str()).copied()).collect()
    }
}

/// What answers an item itself, and the counts of those below it too.
struct Node<'s, 'a> {
    tally: pb::ScoreTally,
    commitments: Vec<pb::ScoredCommitment>,
    initiatives: Vec<&'s InitiativeState<'a>>,
    served_by: BTreeSet<&'a str>,
    subjects: BTreeSet<&'a str>,
}

impl Default for Node<'_, '_> {
    fn default() -> Self {
        Self {
            tally: tally::none(),
            commitments: Vec::new(),
            initiatives: Vec::new(),
            served_by: BTreeSet::new(),
            subjects: BTreeSet::new(),
        }
    }
}

struct Score {
    tally: pb::ScoreTally,
    commitments: Vec<pb::ScoredCommitment>,
    initiatives: Vec<pb::ScoredInitiative>,
    measurements: Vec<pb::Measurement>,
}

impl<'a> Node<'_, 'a> {
    fn score(self, answers: &Answers<'a>, evidence: &mut Evidence) -> Score {
        let measured = answers.latest_of(self.subjects.into_iter());
        evidence.extend(measured.iter().map(|measured| measured.evidence()));
        let initiatives = u32::try_from(self.served_by.len()).unwrap_or(u32::MAX);
        Score {
            tally: pb::ScoreTally { initiatives, ..self.tally },
            commitments: self.commitments,
            initiatives: self.initiatives.into_iter().map(InitiativeState::report).collect(),
            measurements: measured.into_iter().map(Measured::report).collect(),
        }
    }
}

fn item_score(item: &PlanItemAdded, score: Score) -> pb::ItemScore {
    pb::ItemScore {
        item: item.item.clone(),
        kind: item.kind,
        parent: item.parent.clone(),
        title: item.title.clone(),
        tally: Some(score.tally),
        commitments: score.commitments,
        initiatives: score.initiatives,
        measurements: score.measurements,
    }
}

fn scored<'a>(commitment: &CommitmentState<'a>, view: &View<'a>) -> pb::ScoredCommitment {
    pb::ScoredCommitment {
        commitment: commitment.name.into(),
        owner: commitment.declared.owner.clone(),
        text: commitment.declared.text.clone(),
        status: commitment.status().into(),
        confirmation: commitment.confirmation.into(),
        due_on: commitment.due_on,
        overdue: commitment.is_overdue(view.commitments.as_of),
        contested: commitment.is_contested(view),
        incidents: commitment.incidents,
        certainty: commitment.evidence.certainty().into(),
        latest_source: commitment.evidence.latest_source(),
    }
}

/// Each item after the one above it; one whose parent is not there, or leads back to it, stands at the top.
fn in_tree_order<'a>(items: &[&'a PlanItemAdded]) -> Vec<&'a PlanItemAdded> {
    let mut below: HashMap<&str, Vec<usize>> = HashMap::new();
    let codes: BTreeSet<&str> = items.iter().map(|item| item.item.as_str()).collect();
    for (index, item) in items.iter().enumerate() {
        let parent = Some(item.parent.as_str()).filter(|parent| codes.contains(parent));
        below.entry(parent.unwrap_or_default()).or_default().push(index);
    }
    let mut placed = vec![false; items.len()];
    let mut ordered = Vec::with_capacity(items.len());
    let roots = below.get("").cloned().unwrap_or_default();
    for root in roots.into_iter().chain(0..items.len()) {
        let mut next = vec![root];
        while let Some(index) = next.pop() {
            if !std::mem::replace(&mut placed[index], true) {
                ordered.push(items[index]);
                next.extend(below.get(items[index].item.as_str()).into_iter().flatten().rev());
            }
        }
    }
    ordered
}
