//! A table in plain text, its columns as wide as their widest cell.

/// On which side a column's cells are flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows under a heading. Widths are counted in characters, before anything is painted.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns and no rows.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, Align)>) -> Self {
        let columns = columns.into_iter().map(|(name, align)| (name.to_owned(), align)).collect();
        Self { columns, rows: Vec::new() }
    }

    /// Add a row. Cells beyond the last column are left out, missing ones are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().take(self.columns.len()).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The text. `paint` is handed each padded cell of a row with its row and column; the heading's row
    /// is `None`.
    pub fn render(&self, paint: impl Fn(Option<usize>, usize, String) -> String) -> String {
        let widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width(column)).collect();
        let heading: Vec<String> = self.columns.iter().map(|(name, _)| name.clone()).collect();
        let mut text = String::new();
        let rows = self.rows.iter().enumerate().map(|(row, cells)| (Some(row), cells));
        for (row, cells) in core::iter::once((None, &heading)).chain(rows) {
            let mut line = String::new();
            for (column, ((cell, width), (_, align))) in
                cells.iter().zip(&widths).zip(&self.columns).enumerate()
            {
                if column > 0 {
                    line.push_str("  ");
                }
                let last_words = column + 1 == self.columns.len() && *align == Align::Left;
                let padded = match align {
                    Align::Left if last_words => cell.clone(),
                    Align::Left => format!("{cell:<width$}"),
                    Align::Right => format!("{cell:>width$}"),
                };
                line.push_str(&paint(row, column, padded));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn width(&self, column: usize) -> usize {
        let heading = self.columns.get(column).map_or(0, |(name, _)| name.chars().count());
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.fold(heading, usize::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_must_be() {
        let mut table = Table::new([("name", Align::Left), ("count", Align::Right), ("note", Align::Left)]);
        table.row(["a".into(), "1".into(), "short".into()]);
        table.row(["längste".into(), "1234567".into(), "with some more words".into(), "beyond".into()]);
        table.row(["b".into()]);
        let text = table.render(|_, _, cell| cell);
        assert_eq!(
            text,
            "name       count  note\n\
             a              1  short\n\
             längste  1234567  with some more words\n\
             b\n"
        );
    }

    #[test]
    fn paint_does_not_shift_columns() {
        let mut table = Table::new([("a", Align::Left), ("b", Align::Right)]);
        table.row(["xx".into(), "1".into()]);
        let text = table.render(|row, _, cell| if row.is_some() { format!("<{cell}>") } else { cell });
        assert_eq!(text, "a   b\n<xx>  <1>\n");
    }
}
