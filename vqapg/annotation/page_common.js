"use strict";
// What both pages do: ask who judges, and see to it that every judgement reaches the server.
const $ = id => document.getElementById(id);
// What the server sent, and the place in it that is shown.
let session = null, place = 0;
// What each page does in its own way: see startPage.
let page = null;

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const counted = (number, what) => `${number} ${what}${number === 1 ? "" : "s"}`;
const openPairs = open => `${counted(open, "pair")} ${open === 1 ? "is" : "are"} still open`;

// --- Saving ---------------------------------------------------------------------------------------------------------

// Judgements are sent one after the other, and again until the server has them.
const waiting = [];
let sending = false;

function enqueue(pair, field, value) {
  waiting.push({ annotator: session.annotator, pair: pair.id, field, value });
  send();
}

async function send() {
  if (sending) return;
  sending = true;
  let refusal;
  while (waiting.length) {
    showSaved(refusal);
    try {
      const answer = await fetch("api/judgements", post(waiting[0]));
      if (answer.status === 400) {
        const { error } = await answer.json();
        page.forget(waiting.shift());
        refusal = `Not saved: ${error}`;
        continue;
      }
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      waiting.shift();
    } catch (error) {
      showSaved(`Not saved, trying again: ${error.message}`);
      await new Promise(resolve => setTimeout(resolve, 1000));
    }
  }
  sending = false;
  showSaved(refusal);
}

const post = record => ({
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(record), keepalive: true,
});

function showSaved(trouble) {
  $("saved").textContent = trouble ?? (waiting.length ? "saving…" : "saved");
  $("end-saved").textContent = trouble ?? (waiting.length ? "Saving…" : "Everything is saved.");
  $("saved").classList.toggle("bad", trouble !== undefined);
}

addEventListener("pagehide", () => {
  page.leave?.();
  // The last of each field alone: these may arrive in any order.
  const last = new Map(waiting.map(record => [record.pair + record.field, record]));
  for (const record of last.values()) fetch("api/judgements", post(record));
});

addEventListener("beforeunload", event => {
  if (waiting.length && $("saved").classList.contains("bad")) event.preventDefault();
});

// --- Beginning ------------------------------------------------------------------------------------------------------

// Takes what a page does in its own way, and begins under the name in the address, or asks for one.
//   show(at): shows the place of that number
//   showFirst(): shows the place at which a session begins
//   forget(record): takes back a judgement that the server refused
//   leave(), if it is there: saves what was typed and not confirmed, as the page is left
function startPage(own) {
  page = own;
  $("previous").addEventListener("click", () => page.show(place - 1));
  $("ask").querySelector("form").addEventListener("submit", event => {
    event.preventDefault();
    tryToBegin($("name").value);
  });
  const known = new URLSearchParams(location.search).get("annotator");
  if (known) tryToBegin(known);
  else {
    $("ask").hidden = false;
    $("name").focus();
  }
}

async function begin(name) {
  const answer = await fetch(`api/session?annotator=${encodeURIComponent(name)}`);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  session = content;
  $("who").textContent = session.annotator;
  // The name stands in the address: it survives a reload, and two windows can be two annotators.
  history.replaceState(null, "", `?annotator=${encodeURIComponent(session.annotator)}${location.hash}`);
  showSaved();
  page.showFirst();
}

async function tryToBegin(name) {
  try {
    await begin(name);
  } catch (error) {
    $("ask").hidden = false;
    $("ask-error").textContent = error.message;
    $("name").focus();
  }
}
