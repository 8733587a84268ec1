// Every piece of visible text whose contrast with what is behind it is below WCAG AA, as ["ratio", "text", "colours"].
() => {
  const parse = (css) => {
    const parts = css.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => {
      const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = parse(getComputedStyle(e).backgroundColor);
      if (color.alpha === 1) return color.rgb;
      if (color.alpha !== 0) throw new Error("translucent background on " + e.className);
    }
    throw new Error("no background");
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let seen = 0;
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest("svg") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const front = parse(style.color).rgb;
    const back = behind(element);
    const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    seen += 1;
    if (ratio < (large ? 3 : 4.5)) bad.push([ratio.toFixed(2), text.slice(0, 40), `${front} on ${back}`]);
  }
  // Bars and icons: 3:1 against the panel they are drawn on (WCAG 1.4.11). Tracks mean "no data" and are exempt.
  for (const shape of document.querySelectorAll("svg .fill, svg .ring, svg .d-full, svg .d-high, svg .d-mid, svg .d-low")) {
    if (!shape.checkVisibility()) continue;
    const style = getComputedStyle(shape);
    const front = parse(style.fill === "none" ? style.stroke : style.fill).rgb;
    const back = behind(shape.closest("svg").parentElement);
    const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    seen += 1;
    if (ratio < 3) bad.push([ratio.toFixed(2), shape.getAttribute("class"), `${front} on ${back}`]);
  }
  return { seen, bad: [...new Set(bad.map((b) => b.join(" | ")))] };
}
