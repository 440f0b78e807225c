// The style sheet of the HTML report.
#pragma once

namespace espalier::tools {

inline constexpr const char* HtmlStyle = R"css(
:root { color-scheme: light dark; --page: #fbfbf9; --card: #ffffff; --text: #1d2523; --soft: #5d6764; --line: #e1e5e2;
  --back: #bcd8cc; --front: #1f6f54; --tick: #c2591a; --good: #1f6f54; --bad: #b3261e;
  --c0: #1f6f54; --c1: #c2591a; --c2: #8a6bbf; --c3: #d9a21b; --c4: #4b87c5; --c5: #98a19d; }
@media (prefers-color-scheme: dark) { :root { --page: #14191a; --card: #1b2223; --text: #e6ebe8; --soft: #9ba7a2;
  --line: #2e3837; --back: #2f5547; --front: #6fd0a8; --tick: #f0a062; --good: #6fd0a8; --bad: #ff8a80;
  --c0: #6fd0a8; --c1: #f0a062; --c2: #b8a1e6; --c3: #f0cd6a; --c4: #8bbcf0; --c5: #7d8884; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1140px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 36px 0 4px; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 100ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 20px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 23px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px; overflow-x: auto; }
svg { width: 100%; height: auto; display: block; }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); }
svg .axis { fill: var(--soft); font-size: 11px; }
svg .value { font-variant-numeric: tabular-nums; fill: var(--soft); }
.grid { stroke: var(--line); } .back { fill: var(--back); } .front { fill: var(--front); } .tick { fill: var(--tick); }
.c0 { fill: var(--c0); background: var(--c0); } .c1 { fill: var(--c1); background: var(--c1); }
.c2 { fill: var(--c2); background: var(--c2); } .c3 { fill: var(--c3); background: var(--c3); }
.c4 { fill: var(--c4); background: var(--c4); } .c5 { fill: var(--c5); background: var(--c5); }
.legend { display: flex; flex-wrap: wrap; gap: 6px 20px; font-size: 13px; margin-top: 8px; color: var(--soft); }
.legend b { color: var(--text); font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 2px; margin-right: 6px; }
.legend i.back { background: var(--back); } .legend i.front { background: var(--front); }
.legend i.tick { background: var(--tick); width: 3px; height: 13px; vertical-align: -2px; }
.roofline .roof { stroke: var(--text); stroke-width: 1.6; } .roofline .beyond { stroke-width: 1.2; stroke-dasharray: 5 4; }
.roofline .edge { stroke: var(--soft); stroke-dasharray: 2 3; } .roofline .link { stroke: var(--bound); opacity: 0.45; }
.roofline text.mark { font-size: 11px; paint-order: stroke; stroke: var(--card); stroke-width: 3px; stroke-linejoin: round; }
.roofline .full { fill: var(--bound); fill-opacity: 0.85; stroke: var(--card); }
.roofline .hollow { fill: var(--card); fill-opacity: 0.6; stroke: var(--bound); stroke-width: 1.6; }
.whole { --bound: var(--text); } .bound-compute { --bound: var(--c0); } .bound-weights { --bound: var(--c1); }
.bound-memory { --bound: var(--c4); } .bound-output { --bound: var(--c2); }
.legend i.dot { border-radius: 50%; border: 2px solid var(--bound); } .legend i.full { background: var(--bound); }
.legend i.diamond { transform: rotate(45deg) scale(0.85); border-radius: 0; }
.note { font-size: 12px; margin: 8px 0 0; max-width: none; }
.images { display: flex; flex-wrap: wrap; gap: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 8px; width: 92px; }
figure img { width: 74px; height: 74px; image-rendering: pixelated; border-radius: 4px; display: block; }
figcaption { text-align: center; font-size: 13px; padding-top: 4px; color: var(--soft); }
figcaption b { font-size: 17px; color: var(--good); } figure.wrong figcaption b { color: var(--bad); }
table { border-collapse: collapse; width: 100%; font-size: 12px; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 5px 6px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; } th.left, td.left { text-align: left; }
tr.total td { font-weight: 600; border-bottom: 0; }
)css";

}  // namespace espalier::tools
