//! Asks the console of a site as a browser does.

use std::path::Path;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Request, StatusCode};
use tower::ServiceExt as _;

use super::Site;

/// What a request came to.
pub(in super::super) struct Answered {
    pub(in super::super) status: StatusCode,
    pub(in super::super) body: String,
    pub(in super::super) location: String,
    pub(in super::super) cookies: Vec<String>,
    pub(in super::super) headers: axum::http::HeaderMap,
}

impl Site {
    pub(in super::super) async fn get(&self, path: &str, cookie: &str) -> Answered {
        let request = Request::get(path)
            .header(COOKIE, cookie)
            .body(Body::empty())
            .unwrap();
        self.send(request).await
    }

    pub(in super::super) async fn post(&self, path: &str, cookie: &str, form: &str) -> Answered {
        let request = Request::post(path)
            .header(COOKIE, cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap();
        self.send(request).await
    }

    /// Sends a table as a browser sends a file.
    pub(in super::super) async fn upload(
        &self,
        path: &str,
        (cookie, csrf): (&str, &str),
        table: &[u8],
    ) -> Answered {
        let mut body = format!(
            "--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--XX\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"table.csv\"\r\nContent-Type: text/csv\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(table);
        body.extend_from_slice(b"\r\n--XX--\r\n");
        let request = Request::post(path)
            .header(COOKIE, cookie)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=XX")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub(in super::super) async fn send(&self, request: Request<Body>) -> Answered {
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let text = |name| {
            let values = parts.headers.get_all(name).into_iter();
            values
                .map(|v| v.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        let stream = parts
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind == "text/event-stream");
        let bytes =
            if stream { Vec::new().into() } else { to_bytes(body, usize::MAX).await.unwrap() };
        Answered {
            status: parts.status,
            body: String::from_utf8_lossy(&bytes).into_owned(),
            location: text(LOCATION).pop().unwrap_or_default(),
            cookies: text(SET_COOKIE),
            headers: parts.headers,
        }
    }

    /// Leaves pages where a person can look at them, in both languages, if the environment names a folder.
    pub(in super::super) async fn show(&self, name: &str, path: &str, cookie: &str) {
        let Ok(folder) = std::env::var("SHIRASE_SHOW_PAGES") else { return };
        for lang in ["ja", "en"] {
            let cookie = format!("{cookie}; __Host-shirase-lang={lang}");
            let body = self.get(path, &cookie).await.body;
            let file = Path::new(&folder).join(format!("{name}-{lang}.html"));
            std::fs::write(file, body.replace("/static/", "")).unwrap();
        }
    }
}
