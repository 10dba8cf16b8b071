//! Reads the forms of the console's own pages, as far as a person's browser would need to send them back.

use std::collections::BTreeMap;

/// A form with the fields a browser would send untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// Name and present value of each field.
    pub fields: BTreeMap<String, String>,
}

/// Finds every form of a page, in its order.
#[must_use]
pub fn forms(page: &str) -> Vec<Form> {
    page.split("<form")
        .skip(1)
        .map(|rest| read(rest.split("</form>").next().unwrap_or(rest)))
        .collect()
}

/// Returns the first form whose action ends with `action`.
#[must_use]
pub fn form(page: &str, action: &str) -> Option<Form> {
    forms(page)
        .into_iter()
        .find(|form| form.action.ends_with(action))
}

fn read(body: &str) -> Form {
    let head = body.split('>').next().unwrap_or_default();
    let mut fields = BTreeMap::new();
    for tag in body.split("<input").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let kind = attribute(tag, "type").unwrap_or_default();
        let box_unticked =
            matches!(kind.as_str(), "checkbox" | "radio") && !tag.contains("checked");
        if let Some(name) = attribute(tag, "name")
            && !box_unticked
            && kind != "submit"
        {
            fields.insert(name, attribute(tag, "value").unwrap_or_default());
        }
    }
    for tag in body.split("<textarea").skip(1) {
        if let Some(name) = attribute(tag.split('>').next().unwrap_or_default(), "name") {
            let text = tag.split_once('>').map_or("", |(_, rest)| rest);
            fields.insert(name, unescape(text.split("</textarea>").next().unwrap_or_default()));
        }
    }
    for tag in body.split("<select").skip(1) {
        let select = tag.split("</select>").next().unwrap_or_default();
        if let Some(name) = attribute(select.split('>').next().unwrap_or_default(), "name") {
            let chosen = select
                .split("<option")
                .skip(1)
                .map(|option| option.split('>').next().unwrap_or_default())
                .find(|option| option.contains("selected"));
            fields.insert(
                name,
                chosen
                    .and_then(|o| attribute(o, "value"))
                    .unwrap_or_default(),
            );
        }
    }

    Form { action: attribute(head, "action").unwrap_or_default(), fields }
}

/// Reads one attribute of a tag's inside.
#[must_use]
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let at = tag
        .find(&format!(" {name}=\""))
        .or_else(|| tag.find(&format!("\n{name}=\"")))?;
    let value = tag.get(at..)?.split('"').nth(1)?;

    Some(unescape(value))
}

/// Returns text without HTML's escapes.
pub(crate) fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_as_a_browser_would_send_it() {
        let page = r#"<p>x</p><form method="post" action="/sign-in"><input type="hidden" name="csrf" value="a&amp;b">
            <input name="login"><input type="checkbox" name="stay" value="1"><textarea name="why">no &lt;b&gt;</textarea>
            <select name="status"><option value="a">A</option><option value="b" selected>B</option></select></form>"#;
        let form = form(page, "/sign-in").unwrap();
        let expected = [("csrf", "a&b"), ("login", ""), ("status", "b"), ("why", "no <b>")];
        let expected = expected
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .collect();
        assert_eq!(form.fields, expected);
    }
}
