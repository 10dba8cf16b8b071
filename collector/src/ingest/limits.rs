//! Reads a body under a limit, before memory is taken for it.

use futures_util::{Stream, StreamExt, pin_mut};

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError<E> {
    /// It is larger than allowed.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// What is allowed.
        limit: usize,
    },
    /// It broke off.
    #[error("the body broke off")]
    Broken(#[source] E),
}

/// Reads a whole body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, known as soon as the piece that exceeds it arrives, or breaks off.
pub async fn read_limited<S, B, E>(body: S, limit: usize) -> Result<Vec<u8>, BodyError<E>>
where
    S: Stream<Item = Result<B, E>>,
    B: AsRef<[u8]>,
{
    pin_mut!(body);
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(BodyError::Broken)?;
        let piece = piece.as_ref();
        if limit - whole.len() < piece.len() {
            return Err(BodyError::TooLarge { limit });
        }
        whole.extend_from_slice(piece);
    }

    Ok(whole)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn read(pieces: &[Result<&'static str, &'static str>], limit: usize) -> String {
        match read_limited(stream::iter(pieces.to_vec()), limit).await {
            Ok(whole) => String::from_utf8(whole).unwrap(),
            Err(BodyError::TooLarge { limit }) => format!("over {limit}"),
            Err(BodyError::Broken(why)) => format!("broken: {why}"),
        }
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit_and_not_a_byte_further() {
        assert_eq!(read(&[Ok("ab"), Ok(""), Ok("cd")], 4).await, "abcd");
        assert_eq!(read(&[Ok("ab"), Ok("cde"), Err("never asked for")], 4).await, "over 4");
        assert_eq!(read(&[Ok("ab"), Err("reset")], 4).await, "broken: reset");
        assert_eq!(read(&[], 0).await, "");
    }
}
