//! A subscriber that collects spans.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::callsites;

/// All spans that were opened, in this order.
#[derive(Clone, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<Opened>>>);

#[derive(Clone)]
pub(crate) struct Opened {
    id: Id,
    pub(crate) name: &'static str,
    pub(crate) target: &'static str,
    pub(crate) level: Level,
    /// The index of the parent.
    pub(crate) parent: Option<usize>,
    /// The indices of the spans from which it follows.
    pub(crate) follows_from: Vec<usize>,
    pub(crate) fields: BTreeMap<&'static str, String>,
    pub(crate) is_closed: bool,
}

impl Opened {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

impl Visit for Opened {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

impl Spans {
    pub(crate) fn subscriber(&self) -> impl Subscriber + Send + Sync + use<> {
        callsites::keep();
        Registry::default().with(self.clone())
    }

    /// The spans of this name.
    pub(crate) fn named(&self, name: &str) -> Vec<Opened> {
        self.0.lock().unwrap().iter().filter(|span| span.name == name).cloned().collect()
    }

    /// The only span of this name.
    pub(crate) fn only(&self, name: &str) -> Opened {
        let [span] = &self.named(name)[..] else { panic!("one span {name} was expected") };
        span.clone()
    }

    /// The span of the only execution of this check.
    pub(crate) fn check(&self, name: &str) -> Opened {
        let mut checks = self.named("health.check");
        checks.retain(|span| span.field("health.check.name") == Some(name));
        let [span] = &checks[..] else { panic!("one execution of {name} was expected") };
        span.clone()
    }

    pub(crate) fn at(&self, index: usize) -> Opened {
        self.0.lock().unwrap()[index].clone()
    }

    /// The names of the spans from this one to its root.
    pub(crate) fn path(&self, span: &Opened) -> Vec<&'static str> {
        let parent = |span: &Opened| span.parent.map(|parent| self.at(parent));
        std::iter::successors(Some(span.clone()), parent).map(|span| span.name).collect()
    }

    /// The names of the spans that are open.
    pub(crate) fn open(&self) -> Vec<&'static str> {
        let spans = self.0.lock().unwrap();
        spans.iter().filter(|span| !span.is_closed).map(|span| span.name).collect()
    }

    /// Everything that the fields of all spans contain.
    pub(crate) fn text(&self) -> String {
        let spans = self.0.lock().unwrap();
        spans.iter().map(|span| format!("{:?}\n", span.fields)).collect()
    }

    /// The open span of this identifier; a closed one may have had the same.
    fn index(spans: &[Opened], id: &Id) -> Option<usize> {
        spans.iter().rposition(|span| span.id == *id && !span.is_closed)
    }

    fn with(&self, id: &Id, change: impl FnOnce(&mut Opened)) {
        let spans = &mut *self.0.lock().unwrap();
        if let Some(index) = Self::index(spans, id) {
            change(&mut spans[index]);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let parent = context.span(id).and_then(|span| Some(span.parent()?.id()));
        let spans = &mut *self.0.lock().unwrap();
        let mut span = Opened {
            id: id.clone(),
            name: metadata.name(),
            target: metadata.target(),
            level: *metadata.level(),
            parent: parent.and_then(|parent| Self::index(spans, &parent)),
            follows_from: Vec::new(),
            fields: BTreeMap::new(),
            is_closed: false,
        };
        attributes.record(&mut span);
        spans.push(span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        self.with(id, |span| values.record(span));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        let followed = Self::index(&self.0.lock().unwrap(), follows);
        self.with(id, |span| span.follows_from.extend(followed));
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        self.with(&id, |span| span.is_closed = true);
    }
}
