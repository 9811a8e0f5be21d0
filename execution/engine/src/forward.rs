//! One pass through the network for token rows of any number of conversations.
//!
//! Every row is computed on its own from its own conversation's cache; rows only share the reading of the weights.
//! Therefore the bits of a row do not depend on its neighbours: not on chunking, not on interleaving.

use crate::activations::Activations;
use crate::cache::Cache;
use crate::kernels::Path;
use crate::matrix::{GROUP, Matrix};
use crate::model::{Layer, Model};
use crate::pool::{Pool, Work};
use std::ops::Range;
use std::sync::Arc;

/// Multiplications that make a piece worth handing to another thread: waking one takes as long as about these.
const PIECE: usize = 1 << 19;
/// Pieces per thread, so that a slow thread is not waited for long.
const PIECES_PER_THREAD: usize = 4;

/// Consecutive tokens of one conversation.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) cache: Arc<Cache>,
    /// Position of the first token; the cache holds exactly this many.
    pub(crate) start: usize,
    pub(crate) tokens: Vec<u32>,
    /// Logits are wanted from this token of the segment on.
    pub(crate) logits_from: usize,
}

/// What computes: threads and instructions.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) pool: Pool,
    pub(crate) path: Path,
}

impl Machine {
    /// Logits of the wanted rows, segment after segment; the segments' caches grow by their tokens.
    pub(crate) fn forward(&self, model: &Model, segments: &[Segment]) -> Vec<f32> {
        let shape = &model.shape;
        let mut hidden = Vec::new();
        for token in segments.iter().flat_map(|segment| &segment.tokens) {
            model.embedding.append_row(usize::try_from(*token).unwrap_or(usize::MAX), &mut hidden);
        }
        for (index, layer) in model.layers.iter().enumerate() {
            let mixed = self.attention(model, (index, layer), &hidden, segments);
            self.path.add(&mut hidden, &mixed);
            let x = self.path.normalise(&hidden, &layer.forward_norm, shape.epsilon);
            let [mut gate, up] = self.products(&x, shape.width, [&layer.gate, &layer.up]);
            self.path.gated(&mut gate, &up);
            let [down] = self.products(&gate, shape.hidden, [&layer.down]);
            self.path.add(&mut hidden, &down);
        }
        let mut wanted = Vec::new();
        let mut rows = hidden.chunks_exact(shape.width);
        for segment in segments {
            wanted.extend(
                rows.by_ref().take(segment.tokens.len()).skip(segment.logits_from).flatten(),
            );
        }
        if wanted.is_empty() {
            return wanted;
        }
        let x = self.path.normalise(&wanted, &model.norm, shape.epsilon);
        let [logits] = self.products(&x, shape.width, [&model.output]);
        logits
    }

    fn attention(
        &self,
        model: &Model,
        (index, layer): (usize, &Layer),
        hidden: &[f32],
        segments: &[Segment],
    ) -> Vec<f32> {
        let shape = &model.shape;
        let x = self.path.normalise(hidden, &layer.attention_norm, shape.epsilon);
        let [mut queries, mut keys, values] =
            self.products(&x, shape.width, [&layer.query, &layer.key, &layer.value]);
        let narrow = shape.key_heads * shape.head;
        let mut rows = queries
            .chunks_exact_mut(shape.width)
            .zip(keys.chunks_exact_mut(narrow))
            .zip(values.chunks_exact(narrow));
        let mut lengths = Vec::new();
        for segment in segments {
            let Some(cache) = segment.cache.layers.get(index) else { continue };
            let mut heads = cache.write();
            let angles = model.angles.chunks_exact(shape.head / 2).skip(segment.start);
            let places = rows.by_ref().take(segment.tokens.len()).zip(angles).zip(segment.start..);
            for ((((query, key), value), angles), position) in places {
                self.path.rotate(query, angles);
                self.path.rotate(key, angles);
                let parts = key.chunks_exact(shape.head).zip(value.chunks_exact(shape.head));
                for (head, (key, value)) in heads.iter_mut().zip(parts) {
                    head.append(key, value);
                }
                lengths.push((Arc::clone(&segment.cache), position + 1));
            }
        }
        let mixed = self.mix(queries, lengths, (index, shape.head));
        let [out] = self.products(&mixed, shape.width, [&layer.output]);
        out
    }

    fn mix(
        &self,
        queries: Vec<f32>,
        rows: Vec<(Arc<Cache>, usize)>,
        (layer, head): (usize, usize),
    ) -> Vec<f32> {
        let width = queries.len() / rows.len().max(1);
        let cost: usize = rows.iter().map(|(_, length)| 2 * length * width).sum();
        let pieces =
            (cost / PIECE).clamp(1, PIECES_PER_THREAD * self.pool.threads()).min(rows.len().max(1));
        let per_piece = rows.len().div_ceil(pieces).max(1);
        let scale = 1.0 / (head as f32).sqrt();
        let work =
            AttentionWork { queries, rows, layer, head, scale, width, per_piece, path: self.path };
        self.pool.run(work).concat()
    }

    /// Rows of floats times several matrices of one width; results row by row.
    fn products<const N: usize>(
        &self,
        x: &[f32],
        columns: usize,
        matrices: [&Arc<Matrix>; N],
    ) -> [Vec<f32>; N] {
        let x = self.path.quantise(x, columns);
        let rows = x.rows;
        let pieces = self.pieces(&matrices, rows);
        let mut out = matrices.map(|matrix| vec![0.0; matrix.rows * rows]);
        let work =
            MatrixWork { matrices: matrices.map(Arc::clone).to_vec(), x, pieces, path: self.path };
        let places = work.pieces.clone();
        for ((index, groups), values) in places.into_iter().zip(self.pool.run(work)) {
            if let (Some(out), Some(matrix)) = (out.get_mut(index), matrices.get(index)) {
                spread(&values, out, matrix.rows, groups.start);
            }
        }
        out
    }

    /// Divides the matrices' groups of rows into pieces: (matrix, groups).
    fn pieces(&self, matrices: &[&Arc<Matrix>], rows: usize) -> Vec<(usize, Range<usize>)> {
        let total: usize = matrices.iter().map(|matrix| matrix.group_count()).sum();
        let group_cost = matrices.first().map_or(1, |matrix| matrix.columns * GROUP * rows.max(1));
        let smallest = PIECE.div_ceil(group_cost);
        let target =
            if self.pool.threads() == 1 { 1 } else { PIECES_PER_THREAD * self.pool.threads() };
        let step = total.div_ceil(target).max(smallest);
        let mut pieces = Vec::new();
        for (index, matrix) in matrices.iter().enumerate() {
            let count = matrix.group_count();
            pieces.extend(
                (0..count).step_by(step).map(|first| (index, first..count.min(first + step))),
            );
        }
        pieces
    }
}

/// Puts a piece's results, eight numbers per token row and group, where they belong in rows of `width`.
fn spread(values: &[f32], out: &mut [f32], width: usize, first_group: usize) {
    let rows = out.len() / width;
    for (group, values) in values.chunks_exact(rows * GROUP).enumerate() {
        let start = (first_group + group) * GROUP;
        for (row, values) in out.chunks_exact_mut(width).zip(values.chunks_exact(GROUP)) {
            for (to, from) in row.iter_mut().skip(start).zip(values) {
                *to = *from;
            }
        }
    }
}

struct MatrixWork {
    matrices: Vec<Arc<Matrix>>,
    x: Activations,
    pieces: Vec<(usize, Range<usize>)>,
    path: Path,
}

impl Work for MatrixWork {
    fn pieces(&self) -> usize {
        self.pieces.len()
    }

    fn compute(&self, piece: usize) -> Vec<f32> {
        let Some((index, groups)) = self.pieces.get(piece) else { return Vec::new() };
        let Some(matrix) = self.matrices.get(*index) else { return Vec::new() };
        let mut out = vec![0.0; groups.len() * GROUP * self.x.rows];
        for (group, out) in
            matrix.groups_from(groups.start).zip(out.chunks_exact_mut(GROUP * self.x.rows))
        {
            self.path.multiply(group, &self.x, out);
        }
        out
    }
}

struct AttentionWork {
    queries: Vec<f32>,
    /// For every token row its conversation and the number of positions it sees.
    rows: Vec<(Arc<Cache>, usize)>,
    layer: usize,
    head: usize,
    scale: f32,
    width: usize,
    per_piece: usize,
    path: Path,
}

impl Work for AttentionWork {
    fn pieces(&self) -> usize {
        self.rows.len().div_ceil(self.per_piece)
    }

    fn compute(&self, piece: usize) -> Vec<f32> {
        let rows = self.rows.chunks(self.per_piece).nth(piece).unwrap_or_default();
        let queries =
            self.queries.chunks(self.per_piece * self.width).nth(piece).unwrap_or_default();
        let mut out = vec![0.0; queries.len()];
        let mut scores = Vec::new();
        let places = queries.chunks_exact(self.width).zip(out.chunks_exact_mut(self.width));
        for ((cache, length), (queries, out)) in rows.iter().zip(places) {
            let Some(layer) = cache.layers.get(self.layer) else { continue };
            let heads = layer.read();
            let shared = self.width / heads.len().max(1);
            let groups = queries.chunks_exact(shared).zip(out.chunks_exact_mut(shared));
            for (cache, (queries, out)) in heads.iter().zip(groups) {
                for (query, out) in
                    queries.chunks_exact(self.head).zip(out.chunks_exact_mut(self.head))
                {
                    scores.clear();
                    scores.resize(*length, 0.0);
                    self.path.scores(cache, query, self.scale, &mut scores);
                    let inverse = 1.0 / self.path.exponentials(&mut scores);
                    self.path.mix(cache, &scores, out);
                    for value in out {
                        *value *= inverse;
                    }
                }
            }
        }
        out
    }
}
