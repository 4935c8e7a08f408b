/*
 * What script adds to the pages. Everything works without it: here are conveniences that no form depends on. Texts come with
 * the page, in data attributes.
 */
"use strict";

// A password is shown for half a minute at most, and never while it is sent.
const SHOWN = 30000;
// Characters that no distributed password has.
const WIDE = /[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60\uffe0-\uffe6]/u;
const SECOND = 1000;
const MINUTE = 60 * SECOND;

// Where a page that nobody sees who is signed in tells the windows that are still open.
const ENDED = "session-ended";

// Something that screen readers say when its text changes.
const said = (className) => {
  const status = document.createElement("p");
  status.className = className;
  status.setAttribute("role", "status");
  return status;
};

// A live region whose text is set again may be read again.
const say = (status, text) => {
  if (status.textContent !== text) {
    status.textContent = text;
  }
};

// The button that shows a password.
const reveal = (field) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-small reveal";
  button.setAttribute("aria-controls", field.id);
  const status = said("unseen");
  let timer;

  const show = (shown) => {
    clearTimeout(timer);
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? field.dataset.hide : field.dataset.show;
    // Where there are several, each says which.
    if (field.form.querySelectorAll("input[data-show]").length > 1) {
      button.setAttribute("aria-label", `${button.textContent} ${field.labels[0].textContent}`);
    }
    status.textContent = shown ? field.dataset.shown : "";
    if (shown) {
      timer = setTimeout(() => show(false), SHOWN);
    }
  };

  button.addEventListener("click", () => show(field.type === "password"));
  field.form.addEventListener("submit", () => show(false));
  show(false);
  field.after(button, status);
};

// Hints about what a hidden password does not show.
const hint = (field) => {
  const status = said("hint");
  status.id = `${field.id}-typing`;
  const others = field.getAttribute("aria-describedby") ?? "";
  field.setAttribute("aria-describedby", `${others} ${status.id}`.trim());
  let caps = false;

  const tell = () => {
    const wide = field.dataset.wide && WIDE.test(field.value);
    const texts = [caps && field.dataset.caps, wide && field.dataset.wide].filter(Boolean);
    say(status, texts.join(" "));
  };
  const key = (event) => {
    // Password managers type without keys.
    caps = event.getModifierState?.("CapsLock") ?? false;
    tell();
  };

  field.addEventListener("keydown", key);
  field.addEventListener("keyup", key);
  // What is still being composed is not typed yet.
  field.addEventListener("input", (event) => event.isComposing || tell());
  field.addEventListener("compositionend", tell);
  field.before(status);
};

// How long a new password is; said once it is long enough.
const measure = (field) => {
  const shortest = Number(field.dataset.shortest);
  const shown = document.createElement("p");
  shown.className = "hint";
  shown.setAttribute("aria-hidden", "true");
  const status = said("unseen");
  const tell = () => {
    const length = [...field.value.normalize("NFC")].length;
    shown.textContent = field.dataset.length.replace("{}", String(length));
    say(status, length >= shortest ? field.dataset.enough : "");
  };
  field.addEventListener("input", (event) => event.isComposing || tell());
  field.addEventListener("compositionend", tell);
  tell();
  field.before(shown, status);
};

// Whoever pressed a button is told that something happens. The button stays: pressing it again does no harm.
const wait = (form) => {
  const status = said("unseen");
  // Not within: what is busy is not read out before it is done.
  form.after(status);
  form.addEventListener("submit", () => {
    form.setAttribute("aria-busy", "true");
    status.textContent = document.body.dataset.wait;
  });
  addEventListener("pageshow", () => {
    form.removeAttribute("aria-busy");
    status.textContent = "";
  });
};

// How long to wait for another code: counted in sight, and said at the beginning and when it is over.
const count = (note) => {
  const end = Date.now() + SECOND * Number(note.dataset.seconds);
  const over = said("unseen");
  note.removeAttribute("role");
  note.after(over);
  setTimeout(() => say(over, note.textContent), SECOND / 2);
  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / SECOND);
    if (left > 0) {
      note.textContent = note.dataset.counting.replace("{}", String(left));
      return;
    }
    clearInterval(timer);
    note.textContent = note.dataset.ready;
    say(over, note.dataset.ready);
  }, SECOND);
};

// What becomes of a mail that is on its way is shown as soon as it is known. Where there is still a code to type and nothing went wrong,
// only what is said of the mail changes: nobody loses what they are typing, or their place.
const watch = (part, looks = 0) => {
  const SAID = ["#status", "#facts"];
  const wait = (looks < 30 ? 2 * SECOND : 10 * SECOND) * (1 + Math.random() / 4);
  const again = () => watch(part, looks + 1);
  setTimeout(async () => {
    if (document.hidden) {
      again();
      return;
    }
    const page = await load(location.pathname);
    if (page === "elsewhere") {
      location.reload();
      return;
    }
    if (!page) {
      again();
      return;
    }
    const there = page.querySelector("[data-flow]")?.dataset.flow;
    if (there !== part.dataset.flow) {
      location.reload();
      return;
    }
    if (page.querySelector("[data-watch]")) {
      again();
      return;
    }
    document.title = page.title;
    const [before, after] = [document, page].map((root) => [...SAID, "#code"].map((name) => root.querySelector(name)));
    if (![...before, ...after].every(Boolean) || page.querySelector("#error-summary")) {
      const main = document.querySelector("main");
      main.replaceChildren(...page.querySelector("main").childNodes);
      enhance(main);
      main.querySelector("[autofocus]")?.focus();
      return;
    }
    say(before[0], after[0].textContent);
    before[1].replaceChildren(...after[1].childNodes);
  }, wait);
};

// A page; nothing when there is none now, and "elsewhere" when the browser itself should go and see. What the page says only once, it
// does not say to a script.
const load = async (path) => {
  try {
    const answer = await fetch(path, { headers: { "x-script": "1" } });
    if (answer.status === 205 || new URL(answer.url).pathname !== path) {
      return "elsewhere";
    }
    return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : undefined;
  } catch {
    return undefined;
  }
};

// Before a session ends for want of activity somebody is asked, and at its end nothing of it stays in sight. Other windows of this
// browser count, those of the same session: another one has another channel.
const warn = (dialog) => {
  const WARNED = 5 * MINUTE;
  const WARNED_OF_THE_LAST = 10 * MINUTE;
  const form = dialog.querySelector("form");
  const [shown, status, failed] = ["#idle-text", "[role=status]", "[role=alert]"].map((name) => dialog.querySelector(name));
  const last = document.getElementById("absolute");
  const windows = new BroadcastChannel(`session-${dialog.dataset.session}`);
  const lastEnd = Date.now() + SECOND * Number(dialog.dataset.absolute);
  let idleEnd;

  const stay = () => {
    idleEnd = Math.min(Date.now() + SECOND * Number(dialog.dataset.idle), lastEnd);
    say(status, "");
    say(failed, "");
    dialog.close();
  };
  // The server knows whether it is over, and says it on the page to which this leads.
  const over = (after = 0) => {
    clearInterval(timer);
    const waiting = said("note");
    document.body.replaceChildren(waiting);
    waiting.textContent = document.body.dataset.wait;
    setTimeout(() => location.replace("/top"), after);
  };
  const extend = async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { "x-script": "1" } }).catch(() => undefined);
    if (answer?.status === 204) {
      windows.postMessage("used");
      stay();
    } else if (answer?.status === 205) {
      over();
    } else {
      // Nobody can tell now, and the time goes on.
      say(failed, dialog.dataset.failed);
    }
  };
  const look = () => {
    const now = Date.now();
    if (now >= idleEnd) {
      // To ask counts as activity: a clock that is a little fast must not keep a session alive that nobody uses.
      over(5 * SECOND);
      return;
    }
    if (now >= lastEnd - WARNED_OF_THE_LAST) {
      say(last, last.dataset.text);
    }
    // What ends whatever is done cannot be put off.
    if (now < idleEnd - WARNED || idleEnd >= lastEnd) {
      return;
    }
    if (!dialog.open) {
      dialog.showModal();
    }
    const minutes = Math.ceil((idleEnd - now) / MINUTE);
    const left = (part) => part.dataset.left.replace("{}", String(minutes));
    say(shown, left(shown));
    if ([5, 2, 1].includes(minutes)) {
      say(status, left(status));
    }
  };

  dialog.addEventListener("cancel", extend);
  form.addEventListener("submit", extend);
  windows.addEventListener("message", stay);
  new BroadcastChannel(ENDED).addEventListener("message", () => over());
  windows.postMessage("used");
  stay();
  const timer = setInterval(look, SECOND);
  look();
};

const enhance = (root) => {
  root.querySelectorAll("input[data-show]").forEach(reveal);
  root.querySelectorAll("input[data-caps]").forEach(hint);
  root.querySelectorAll("input[data-shortest]").forEach(measure);
  root.querySelectorAll("form:not(dialog form)").forEach(wait);
  root.querySelectorAll("[data-seconds]").forEach(count);
  root.querySelectorAll("[data-watch]").forEach((part) => watch(part));
  root.querySelectorAll("dialog[data-idle]").forEach(warn);
  root.querySelectorAll("[data-private]").forEach(() =>
    new BroadcastChannel(ENDED).addEventListener("message", () => location.reload()),
  );
  root.querySelectorAll("[data-ended]").forEach(() => new BroadcastChannel(ENDED).postMessage(""));
};

enhance(document);
