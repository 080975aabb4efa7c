//! What those who write and approve see beforehand: sample rows, matrices, what a version changes; and files handed in.

mod previews;
mod readings;
mod uploads;
