// Small comforts; every page works without them. Served as a file: the policy allows no inline script.
(function () {
  "use strict";

  // A menu closes on Escape (focus goes back to its button) and on a click elsewhere.
  function close(menu, refocus) {
    menu.open = false;
    if (refocus) menu.querySelector("summary").focus();
  }
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    var menu = event.target.closest("details.menu[open], details.another-day[open]");
    if (menu) close(menu, true);
  });
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) close(menu, false);
    });
    var dismiss = event.target.closest("[data-dismiss-toast]");
    if (dismiss) {
      dismiss.closest(".toast-note").remove();
      document.getElementById("main").focus();
    }
  });
  // Who speaks to the computer may not want single keys to do anything; kept in this browser, where storing is allowed.
  function slashIsOff() {
    try { return localStorage.getItem("slash") === "off"; } catch (refused) { return false; }
  }
  document.querySelectorAll("[data-slash]").forEach(function (box) {
    box.checked = !slashIsOff();
    box.addEventListener("change", function () {
      try { localStorage.setItem("slash", box.checked ? "on" : "off"); } catch (refused) { box.checked = true; }
    });
  });
  // "/" goes to the search field, or where the screen has no room for one to its page. In a field it is only a sign.
  document.addEventListener("keydown", function (event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, select, textarea, [contenteditable]") || slashIsOff()) return;
    var field = document.querySelector("[data-search]");
    if (!field) return;
    event.preventDefault();
    if (field.getClientRects().length) {
      field.focus();
      field.select();
    } else {
      window.location.assign(field.form.action);
    }
  });
  // Hits under the field of the top bar stand there while the field or one of them has the focus; Escape puts them away.
  var field = document.querySelector(".topbar-search [data-search]"), hits = document.getElementById("typed-hits");
  function showHits(shown) { hits.hidden = !(shown && hits.childElementCount); }
  if (field && hits) {
    hits.addEventListener("htmx:afterSwap", function () { showHits(field.form.contains(document.activeElement)); });
    field.addEventListener("focus", function () { showHits(true); });
    field.form.addEventListener("focusout", function (event) {
      if (!field.form.contains(event.relatedTarget)) showHits(false);
    });
    field.form.addEventListener("keydown", function (event) {
      if (event.key !== "Escape" || hits.hidden) return;
      event.preventDefault();  // the browser would empty the field
      field.focus();
      showHits(false);
    });
  }
  // There, on the page of the search and where a facility is looked up, the arrows lead from the field to the hits and
  // from one to the next.
  var searches = [
    { within: ".topbar-search", field: ".topbar-search [data-search]", hits: "#typed-hits a" },
    { within: ".search-form, #found", field: ".search-form [data-search]", hits: "#found .hits a" },
    { within: ".find", field: ".find [type=search]", hits: "#suggestions a" }
  ];
  document.addEventListener("keydown", function (event) {
    var down = event.key === "ArrowDown";
    var search = searches.find(function (each) { return event.target.closest(each.within); });
    if (!search || !(down || event.key === "ArrowUp")) return;
    var typing = event.target.matches(search.field);
    if (typing && hits && hits.contains(document.querySelector(search.hits))) showHits(true);
    var found = Array.from(document.querySelectorAll(search.hits));
    if (!found.length || (typing && !down) || !(typing || found.includes(event.target))) return;
    event.preventDefault();
    var at = typing ? 0 : found.indexOf(event.target) + (down ? 1 : -1);
    if (at < 0) document.querySelector(search.field).focus();
    else found[at % found.length].focus();
  });
  function showDismiss(root) {
    root.querySelectorAll("[data-dismiss-toast]").forEach(function (button) { button.hidden = false; });
  }
  showDismiss(document);

  // What cannot work without scripts (passkeys) is shown only here.
  document.querySelectorAll("[data-needs-script]").forEach(function (part) { part.hidden = false; });
  document.addEventListener("allauth.error", function (event) {
    var note = document.querySelector("[data-passkey-refused]");
    if (!note) return;
    event.preventDefault();
    note.textContent = "The key did not answer, or you stopped it. Try again, or use the other way above.";
    note.hidden = false;
  });

  // Exact words for a form: one press puts them on the clipboard; without it they are selected for the keyboard.
  function showCopy(root) {
    root.querySelectorAll("[data-copy]").forEach(function (button) { button.hidden = false; });
  }
  showCopy(document);
  function select(part) {
    var range = document.createRange();
    range.selectNodeContents(part);
    var chosen = window.getSelection();
    chosen.removeAllRanges();
    chosen.addRange(range);
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    var part = document.getElementById(button.dataset.copy);
    var words = button.querySelector("[data-copy-words]");
    words.setAttribute("aria-live", "polite");
    function done(said) {
      words.textContent = said;
      window.setTimeout(function () { words.textContent = "Copy"; }, 4000);
    }
    function byHand() { select(part); done("Selected"); }
    if (!navigator.clipboard) return byHand();
    navigator.clipboard.writeText(part.textContent).then(function () { done("Copied"); }, byHand);
  });

  // One box ticks all rows of the page; without scripts each row has its own.
  document.querySelectorAll("[data-pick-all]").forEach(function (all) {
    var boxes = all.closest("table").querySelectorAll("td.pick input");
    function show() {
      var ticked = Array.prototype.filter.call(boxes, function (box) { return box.checked; }).length;
      all.checked = ticked > 0 && ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    }
    all.hidden = false;
    all.addEventListener("change", function () {
      boxes.forEach(function (box) { box.checked = all.checked; });
      show();
    });
    boxes.forEach(function (box) { box.addEventListener("change", show); });
    show();
  });

  // A table that was moved sideways shows that its first column lies above the others.
  document.querySelectorAll(".wide-table").forEach(function (box) {
    box.addEventListener("scroll", function () { box.classList.toggle("is-moved", box.scrollLeft > 0); }, { passive: true });
  });

  // A refused form came back: start reading where it says what to mend.
  var refused = document.querySelector(".notice[role=alert][tabindex]");
  if (refused) refused.focus({ preventScroll: true });

  // Printing opens what is folded, so that paper answers "why" too; of a long list only what the reader opened.
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.why, details.fold").forEach(function (part) {
      var rows = part.closest("ol.rows");
      if (!rows || rows.closest("main").querySelectorAll("ol.rows > li").length <= 5) part.open = true;
    });
  });

  // What was typed when the session had ended waits in this tab until one has signed in again and is back on the page.
  var PLACE = window.location.pathname + window.location.search, signingIn = window.location.pathname.indexOf("/auth/") === 0;
  function typedIn(form) {
    return Array.from(form.elements).filter(function (each) {
      return each.name && !/^(hidden|password|file|submit|button|fieldset)$/.test(each.type);
    });
  }
  function kept(value) {
    try {
      if (value) sessionStorage.setItem("typed", JSON.stringify(value));
      else if (value === null) sessionStorage.removeItem("typed");
      return JSON.parse(sessionStorage.getItem("typed"));
    } catch (refused) { return null; }
  }
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (signingIn || form.method !== "post" || form.hasAttribute("hx-post")) return;
    kept({ me: document.body.dataset.me, place: PLACE, form: Array.from(document.forms).indexOf(form), typed: typedIn(form).map(function (each) {
      return [each.name, /checkbox|radio/.test(each.type) ? each.checked : each.value];
    }) });
  });
  var was = kept();
  if (was && signingIn) kept(Object.assign(was, { away: true }));
  else if (was) {
    var mine = was.me === document.body.dataset.me;  // and not somebody's who shares the screen
    var again = was.away && mine && was.place === PLACE && document.forms[was.form];
    kept(null);
    if (again) typedIn(again).forEach(function (each, at) {
      var before = was.typed[at];
      if (!before || before[0] !== each.name) return;
      if (/checkbox|radio/.test(each.type)) each.checked = before[1];
      else each.value = before[1];
    });
  }

  // A session that ended meanwhile answers with the sign-in page: go there instead of losing the row.
  document.addEventListener("htmx:beforeSwap", function (event) {
    var answer = event.detail.xhr.responseURL || "";
    if (answer && new URL(answer).pathname.indexOf("/auth/") === 0) {
      event.detail.shouldSwap = false;
      window.location.assign("/auth/login/?next=" + encodeURIComponent(PLACE));
    }
  });
  // A row that has nothing more to say leaves: go on with the one beside it, and without any take the section along.
  var left = null;
  document.addEventListener("htmx:beforeSwap", function (event) {
    var row = event.detail.target;
    if (!event.detail.shouldSwap || !row.matches("ol.rows > li")) return;
    left = { id: row.id, beside: row.nextElementSibling || row.previousElementSibling, section: row.closest("section") };
  });
  document.addEventListener("htmx:afterSettle", function () {
    if (!left || document.getElementById(left.id)) return;
    var beside = left.beside, section = left.section;
    left = null;
    if (section && !beside) section.remove();
    if (document.activeElement && document.activeElement !== document.body) return;
    var next = beside && beside.querySelector("button, summary, a[href]");
    (next || document.getElementById("main")).focus({ preventScroll: true });
  });
  // The button that was pressed is gone after the swap: focus the first thing to do in what replaced it.
  document.addEventListener("htmx:afterSettle", function (event) {
    showDismiss(document);
    var target = event.detail.target;
    if (!target || event.detail.elt.id !== target.id) return; // the greeting and the toasts settle too
    if (document.activeElement && document.activeElement !== document.body) return;
    // The sentence is a link too and comes first; the deed is what the hand is on.
    var row = event.detail.elt;
    var next = row.querySelector("button, summary, input:not([type=hidden])") || row.querySelector("a[href]");
    if (next) next.focus({ preventScroll: true });
  });
  // Nothing came back, or a refusal: say so beside the row; the form is still there.
  function failed(event) {
    var form = event.detail.elt;
    if (form.matches(".topbar-search, .search-form")) return; // Enter still leads to the page
    var note = form.querySelector(".invalid-feedback");
    if (!note) {
      note = document.createElement("p");
      note.className = "invalid-feedback";
      note.setAttribute("role", "alert");
      form.append(note);
    }
    note.textContent = "That did not get through, and nothing was changed. Try again, or reload the page.";
  }
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
})();
