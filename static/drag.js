// Field settings: a line is dragged by its handle to another place. The arrows beside it do the same, with any device.
"use strict";

(() => {
  const EDGE = 60; // pixels from the top or foot of the window where it begins to scroll along
  let drag = null;

  const placeOf = (line) => [...line.parentElement.children].indexOf(line);
  const middleOf = (line) => {
    const { top, height } = line.getBoundingClientRect();
    return top + height / 2;
  };

  /** To where the pointer is. */
  const settle = ({ line, y }) => {
    while (line.previousElementSibling && y < middleOf(line.previousElementSibling)) line.previousElementSibling.before(line);
    while (line.nextElementSibling && y > middleOf(line.nextElementSibling)) line.nextElementSibling.after(line);
  };

  const follow = () => {
    if (!drag) return;
    const { line, y } = drag;
    if (!line.isConnected) return end(); // an answer has put other lines there
    if (y < EDGE) window.scrollBy(0, (y - EDGE) / 4);
    if (y > window.innerHeight - EDGE) window.scrollBy(0, (y - window.innerHeight + EDGE) / 4);
    settle(drag);
    requestAnimationFrame(follow);
  };

  const end = () => {
    drag.line.classList.remove("dragged");
    document.body.classList.remove("dragging");
    drag = null;
  };

  const putBack = () => {
    const { line, list, from } = drag;
    line.remove();
    list.insertBefore(line, list.children[from] ?? null);
    end();
  };

  document.addEventListener("pointerdown", (event) => {
    const handle = event.button === 0 && event.isPrimary && event.target.closest?.("[data-drag]");
    if (!handle || drag) return;
    event.preventDefault();
    document.activeElement?.blur(); // closes a list that lies over the lines
    const line = handle.closest("li");
    const list = line.parentElement;
    list.setPointerCapture(event.pointerId); // not the handle, which moves and would lose it
    drag = { line, list, from: placeOf(line), pointer: event.pointerId, y: event.clientY };
    line.classList.add("dragged");
    document.body.classList.add("dragging");
    requestAnimationFrame(follow);
  });

  document.addEventListener("pointermove", (event) => {
    if (event.pointerId === drag?.pointer) drag.y = event.clientY;
  });

  document.addEventListener("pointerup", (event) => {
    if (event.pointerId !== drag?.pointer) return;
    drag.y = event.clientY;
    const { line, from } = drag;
    if (line.isConnected) settle(drag);
    const to = line.isConnected ? placeOf(line) : from;
    end();
    if (to === from) return;
    const button = document.getElementById("fields-move");
    button.value = `move:${from + 1}.${to + 1}`;
    button.click();
  });

  document.addEventListener("pointercancel", (event) => { if (event.pointerId === drag?.pointer) putBack(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag) {
      event.preventDefault();
      putBack();
    }
  });
})();
