/* Shows the page that Python has written, and tells what was clicked, chosen or typed.
 *
 * Trait of the model: html. What has `data-act` tells of itself as {act, ...`data-with`, value}: a button is
 * clicked, a field has changed. While somebody types into a field, it tells the act of its `data-live`, and at Enter
 * that of its `data-enter`.
 * A new page changes only what differs from the old one, so that the focus, the places of scrolling and a text
 * that is being typed stay.
 */

const PAUSE = 200; // ms in which somebody types on
const FOREIGN = "script, iframe, object, embed, link, meta, base, form"; // Python writes none of them
const FIELDS = "input, textarea, select";

const KEPT = new Set(["open", "data-lm-suppress-shortcuts"]); // what the user and the page have added
const told = new WeakMap(); // field -> what Python said last is in it

const place = (element) => `${element.dataset.act} ${element.dataset.with}`;
const nameOf = (element) => `${element.dataset.act} ${element.ariaLabel ?? element.textContent}`;
const valueOf = (field) => (field.type === "checkbox" ? field.checked : field.value);
const put = (field, value) => { field[field.type === "checkbox" ? "checked" : "value"] = value; };

/* Make `old` look as `next`, and keep it where it does already. */
function morph(old, next) {
  for (const { name } of [...old.attributes]) {
    if (!KEPT.has(name) && !next.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (name === "open" || old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
  }
  const mine = old.value; // of a list whose options may change now
  morphChildren(old, next);
  if (!old.matches(FIELDS)) return;
  const said = valueOf(next);
  // What the user has done to the field may be ahead of what Python knows: it counts until Python says something new
  const isNews = told.get(old) !== said;
  told.set(old, said);
  if (isNews && (old !== old.ownerDocument.activeElement || !("live" in old.dataset))) put(old, said);
  else if (old.matches("select")) put(old, mine);
  if (old.matches("select") && old.selectedIndex < 0) put(old, said);
}

function morphChildren(old, next) {
  const wanted = [...next.childNodes];
  const same = (a, b) => a && a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.dataset?.key === b.dataset?.key;
  for (const [at, node] of wanted.entries()) {
    let there = old.childNodes[at];
    if (!same(there, node)) {
      const later = node.dataset?.key && [...old.children].slice(at).find((child) => same(child, node));
      if (later) old.insertBefore(later, there);
      else old.insertBefore(remembered(node), there ?? null);
      if (!later) continue;
      there = later;
    }
    if (node.nodeType === Node.ELEMENT_NODE) morph(there, node);
    else if (there.nodeValue !== node.nodeValue) there.nodeValue = node.nodeValue;
  }
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

/* Copy a part of the page that is new, and note what Python said is in its fields. */
function remembered(node) {
  const found = node.cloneNode(true);
  if (found.nodeType !== Node.ELEMENT_NODE) return found;
  for (const field of [found, ...found.querySelectorAll(FIELDS)]) if (field.matches(FIELDS)) told.set(field, valueOf(field));
  return found;
}

function read(html) {
  const page = document.createElement("template");
  page.innerHTML = html;
  page.content.querySelectorAll(FOREIGN).forEach((element) => element.remove());
  for (const element of page.content.querySelectorAll("*")) {
    for (const { name } of [...element.attributes]) if (name.startsWith("on")) element.removeAttribute(name);
  }
  return page.content;
}

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "sispy-view";
  el.append(root);
  let timer = null;
  let shown = ""; // what was led into sight last
  let came = null; // whence the focus came into the page
  let waiting = null; // the field whose text has not been told yet

  const tell = (element, more = {}) => {
    model.send({ act: element.dataset.act, ...JSON.parse(element.dataset.with ?? "{}"), ...more });
  };
  const settle = () => {
    clearTimeout(timer);
    if (waiting) tell(waiting, { act: waiting.dataset.live, value: valueOf(waiting) });
    waiting = null;
  };
  const draw = () => {
    const focus = root.contains(root.ownerDocument.activeElement) ? root.ownerDocument.activeElement : null;
    const before = [...root.querySelectorAll("[data-act]")];
    const near = focus ? before.slice(0, before.indexOf(focus) + 1).reverse().map(nameOf) : [];
    const act = focus?.dataset.act;
    const wasBegun = root.querySelector("[data-begin]");
    morphChildren(root, read(model.get("html")));
    const isThere = root.contains(focus) && !focus.disabled;
    if (near.length && !(isThere && nameOf(focus) === near[0])) {
      // The focus follows what had it; where that is gone, it goes to what stood before, or whence it came
      const now = new Map([...root.querySelectorAll("[data-act]:enabled, [data-act][role]")].map((one) => [nameOf(one), one]));
      const next = near.find((one) => now.has(one));
      if (next === near[0] || !(isThere && focus.dataset.act === act)) (now.get(next) ?? came)?.focus();
    }
    if (!wasBegun) root.querySelector("[data-begin]")?.querySelector(FIELDS)?.focus(); // where a new form begins
    const chosen = root.querySelector("[data-show]");
    const now = chosen?.offsetParent ? place(chosen) : ""; // what is hidden is led into sight when it is not
    if (now && now !== shown) chosen.scrollIntoView({ block: "nearest", inline: "nearest" });
    shown = now;
  };

  root.addEventListener("click", (event) => {
    const target = event.target.closest("[data-act]");
    if (!target || target.matches("input, select, textarea") || target.disabled) return;
    settle();
    tell(target);
  });
  root.addEventListener("change", (event) => {
    if (!event.target.dataset.act) return;
    if (waiting === event.target) waiting = null;
    clearTimeout(timer);
    tell(event.target, { value: valueOf(event.target) });
  });
  root.addEventListener("input", (event) => {
    if (!("live" in event.target.dataset)) return;
    if (waiting !== event.target) settle();
    waiting = event.target;
    clearTimeout(timer);
    timer = setTimeout(settle, PAUSE);
  });
  root.addEventListener("keydown", (event) => {
    const { target } = event;
    if (event.key === "Enter" && target.dataset.enter) {
      settle();
      model.send({ act: target.dataset.enter, value: target.value });
    } else if ((event.key === "Enter" || event.key === " ") && target.matches("[role=button]")) {
      event.preventDefault();
      tell(target);
    }
  });
  // In Jupyter the keys are the notebook's: two presses of d would delete a cell
  root.addEventListener("focusin", (event) => {
    event.target.setAttribute("data-lm-suppress-shortcuts", "true");
    if (!root.contains(event.relatedTarget)) came = event.relatedTarget;
  });
  for (const type of ["keydown", "keyup", "keypress"]) root.addEventListener(type, (event) => event.stopPropagation());
  model.on("change:html", draw);
  draw();
  return () => {
    clearTimeout(timer);
    model.off("change:html", draw);
  };
}

export default { render };
