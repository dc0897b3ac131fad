// Creates elements. Whatever comes from the collector becomes a text node or an attribute, never markup.

/** An element with properties, and children that are nodes or texts. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) {
      continue;
    }
    if (name === 'class') {
      element.className = value;
    } else if (name.startsWith('on')) {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? '' : value);
    }
  }
  element.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/**
 * Makes an element's content equal to these nodes, and leaves alone what is equal already: what is selected, focused or
 * scrolled in it stays so. Listeners of the nodes are lost where the content stays.
 */
export function patch(element, ...nodes) {
  nodes.forEach((wanted, i) => {
    const present = element.childNodes[i];
    if (!present) {
      element.append(wanted);
    } else if (present.nodeName !== wanted.nodeName) {
      present.replaceWith(wanted);
    } else if (present.nodeType === Node.TEXT_NODE) {
      text(present, wanted.textContent);
    } else {
      [...present.attributes].filter(({name}) => !wanted.hasAttribute(name)).forEach(({name}) => present.removeAttribute(name));
      [...wanted.attributes].filter(({name, value}) => present.getAttribute(name) !== value)
        .forEach(({name, value}) => present.setAttribute(name, value));
      patch(present, ...wanted.childNodes);
    }
  });
  while (element.childNodes.length > nodes.length) {
    element.lastChild.remove();
  }
}

/** Sets a text if it has changed: an unchanged one needs no layout. */
export function text(element, value) {
  if (element.textContent !== value) {
    element.textContent = value;
  }
}

export const byId = id => document.getElementById(id);

/** A counter's name, with its tags separated from the metric. */
export function nameNodes(name) {
  const comma = name.indexOf(',');
  return comma < 0
    ? [name]
    : [name.slice(0, comma), el('span', {class: 'tag'}, name.slice(comma))];
}

/** A value of a style, such as '--muted'. */
export const style = property => getComputedStyle(document.documentElement).getPropertyValue(property).trim();

/** Calls the function once it has not been requested again for this long. */
export function debounced(millis, call) {
  let timer = 0;
  return (...some) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...some), millis);
  };
}

/** Lets the user save a text as a file. */
export function download(file, type, content) {
  const url = URL.createObjectURL(new Blob([content], {type}));
  el('a', {href: url, download: file}).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
