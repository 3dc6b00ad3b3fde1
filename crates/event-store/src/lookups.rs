//! What commands must know of the log before they decide, asked for together: one round trip to Postgres serves all
//! that wait at the time.

use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};

use event_sourcing::StreamName;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{Mutex, mpsc, oneshot};
use uuid::Uuid;

use crate::{StoreError, StoredEvent, gate::AT_WORK};

/// Questions of one round trip at most.
const BATCH: usize = 256;
/// How many are answered side by side where one takes long, so that a long stream does not keep all others waiting.
const SESSIONS: usize = 2;
/// How long one is waited for: the more wait together, the less each costs.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long Postgres may take to connect and to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What one command asks.
pub(crate) struct Question {
    /// Whether this request of an organisation had its effect before.
    pub request: Option<(String, Uuid)>,
    /// Streams of which everything is asked for.
    pub streams: Vec<StreamName>,
}

/// What the log says.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The effect that the request had.
    pub effect: Option<Effect>,
    /// The events of each stream, in order. Whoever asks for the same stream at the same time shares them.
    pub streams: Vec<Arc<[StoredEvent]>>,
}

/// What a request did.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    pub content_hash: Vec<u8>,
    /// Its events, in order.
    pub events: Vec<StoredEvent>,
}

type Asked = (Question, oneshot::Sender<Result<Answer, String>>);

/// Answers questions. Ends when it is dropped.
pub(crate) struct Lookups {
    questions: mpsc::Sender<Asked>,
}

impl Lookups {
    /// Begins to answer from a log that sessions with these options read.
    pub fn start(options: &PgConnectOptions) -> Self {
        let (questions, asked) = mpsc::channel(AT_WORK);
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..SESSIONS {
            tokio::spawn(answer(options.clone(), asked.clone()));
        }
        Self { questions }
    }

    pub async fn ask(&self, question: Question) -> Result<Answer, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.questions.send((question, reply)).await.map_err(|_| StoreError::Closed)?;
        let answer = answer.await.map_err(|_| StoreError::Closed)?;
        answer.map_err(|error| StoreError::Database(sqlx::Error::Protocol(error)))
    }
}

async fn answer(options: PgConnectOptions, asked: Arc<Mutex<mpsc::Receiver<Asked>>>) {
    let mut session = None;
    loop {
        let mut turn = asked.lock().await;
        let Some(first) = turn.recv().await else { return };
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = turn.try_recv()
        {
            batch.push(next);
        }
        let (questions, replies): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let answers = {
            let mut looking = pin!(look_up_twice(&mut session, &options, &questions));
            if let Ok(answers) = tokio::time::timeout(PATIENCE, &mut looking).await {
                answers
            } else {
                drop(turn);
                looking.await
            }
        };
        match answers {
            Ok(answers) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    reply.send(Ok(answer)).ok();
                }
            }
            Err(error) => {
                session = None;
                for reply in replies {
                    reply.send(Err(error.to_string())).ok();
                }
            }
        }
    }
}

async fn look_up_twice(
    session: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    questions: &[Question],
) -> Result<Vec<Answer>, sqlx::Error> {
    let had_session = session.is_some();
    let mut answers = in_time(look_up(session, options, questions)).await;
    // A session that was left from before may have been cut meanwhile.
    if answers.is_err() {
        *session = None;
        if had_session {
            answers = in_time(look_up(session, options, questions)).await;
        }
    }
    answers
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}

async fn look_up(
    session: &mut Option<PgConnection>,
    options: &PgConnectOptions,
    questions: &[Question],
) -> Result<Vec<Answer>, sqlx::Error> {
    let session = match session {
        Some(session) => session,
        None => session.insert(PgConnection::connect_with(options).await?),
    };
    let requests: Vec<(usize, &(String, Uuid))> =
        questions.iter().enumerate().filter_map(|(index, asked)| Some((index, asked.request.as_ref()?))).collect();
    let (organisations, ids): (Vec<&str>, Vec<Uuid>) =
        requests.iter().map(|(_, (organisation, id))| (organisation.as_str(), *id)).unzip();
    // A stream that many wait for, and that may be long, is read once for all of them.
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    for name in questions.iter().flat_map(|asked| &asked.streams) {
        places.entry(name.as_str()).or_insert_with(|| {
            names.push(name.as_str());
            names.len() - 1
        });
    }
    // `OFFSET 0` keeps each look-up one by its key, whatever Postgres thinks of the number of questions.
    let rows = sqlx::query!(
        r#"SELECT nr AS "nr!", content_hash, position AS "position!", record AS "record!"
           FROM unnest($1::text[], $2::uuid[]) WITH ORDINALITY AS asked (organisation, request_id, nr)
           CROSS JOIN LATERAL (
               SELECT content_hash, first_position, events FROM requests
               WHERE organisation = asked.organisation AND request_id = asked.request_id OFFSET 0
           ) AS effect
           CROSS JOIN LATERAL (
               SELECT position, record FROM events
               WHERE position >= first_position AND position < first_position + effect.events OFFSET 0
           ) AS event
           UNION ALL
           SELECT nr, NULL, position, record
           FROM unnest($3::text[]) WITH ORDINALITY AS asked (stream, nr)
           CROSS JOIN LATERAL (
               SELECT position, record FROM events WHERE stream = asked.stream ORDER BY version OFFSET 0
           ) AS event"#,
        &organisations as &[&str],
        &ids,
        &names as &[&str],
    )
    .fetch_all(session)
    .await?;
    let mut effects: Vec<Option<Effect>> = questions.iter().map(|_| None).collect();
    let mut streams: Vec<Vec<StoredEvent>> = vec![Vec::new(); names.len()];
    for row in rows {
        let nr = usize::try_from(row.nr - 1).unwrap_or(usize::MAX);
        let event = StoredEvent { position: row.position.cast_unsigned(), record: row.record.into() };
        if let Some(content_hash) = row.content_hash {
            let effect = effects[requests[nr].0].get_or_insert_default();
            effect.content_hash = content_hash;
            effect.events.push(event);
        } else {
            streams[nr].push(event);
        }
    }
    // Rows of a union come in no order that could be relied on.
    for events in streams.iter_mut().chain(effects.iter_mut().flatten().map(|effect| &mut effect.events)) {
        events.sort_unstable_by_key(|event| event.position);
    }
    let streams: Vec<Arc<[StoredEvent]>> = streams.into_iter().map(Arc::from).collect();
    let answers = questions.iter().zip(effects).map(|(asked, effect)| {
        let events = asked.streams.iter().map(|name| streams[places[name.as_str()]].clone());
        Answer { effect, streams: events.collect() }
    });
    Ok(answers.collect())
}
