"""Templates of the data docs: whole pages with their style inside, readable without a network."""

from typing import Final

STYLE: Final = """
:root { --ink:#1d2430; --soft:#5b6675; --line:#dde2e9; --ground:#f6f7f9; --ok:#1a7f4b;
  --warn:#a86400; --bad:#c0262d; }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--ink);
  font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif }
main { max-width:1080px; margin:0 auto; padding:32px 24px 64px }
h1 { font-size:26px; margin:0 0 4px } h2 { font-size:18px; margin:36px 0 10px }
h5,h6 { font-size:16px; margin:28px 0 8px } p { margin:6px 0 } .lead { color:var(--soft) }
nav { margin:14px 0 0 } nav a { margin-right:18px } a { color:#1b5fa8 }
.verdict { margin:20px 0; padding:12px 16px; border-radius:8px; color:#fff; font-weight:600 }
.verdict.ok { background:var(--ok) } .verdict.warn { background:var(--warn) }
.verdict.bad { background:var(--bad) }
.facts { display:grid; grid-template-columns:repeat(auto-fill,minmax(160px,1fr)); gap:10px }
.fact { background:#fff; border:1px solid var(--line); border-radius:8px; padding:10px 12px }
.fact b { display:block; font-size:20px; font-variant-numeric:tabular-nums }
.fact span { color:var(--soft); font-size:13px }
table { width:100%; border-collapse:collapse; background:#fff; border:1px solid var(--line) }
th,td { text-align:left; vertical-align:top; padding:7px 10px; border-bottom:1px solid var(--line);
  overflow-wrap:anywhere }
th { background:#eef1f5; font-size:13px; color:var(--soft); font-weight:600; white-space:nowrap }
th.n { text-align:right } tr.warn td { background:#fff8ec } tr.bad td { background:#fdeeee }
table.asked td:last-child { width:230px } table.asked td:first-child { width:80px }
td.n { text-align:right; font-variant-numeric:tabular-nums; white-space:nowrap }
code { font-size:13px } .rows { color:var(--soft); font-size:13px }
.badge { display:inline-block; min-width:44px; text-align:center; padding:0 7px; color:#fff;
  border-radius:9px; font-size:12px; font-weight:600; line-height:20px; white-space:nowrap }
.badge.ok { background:var(--ok) } .badge.warn { background:var(--warn) }
.badge.bad { background:var(--bad) } .badge.hard { background:#5b6675 }
.badge.soft { background:#fff; color:var(--soft); outline:1px solid var(--line) }
thead[hidden] { display:none } ul { margin:0; padding-left:18px }
.fa-check-circle::before { content:"\\2713"; color:var(--ok); font-style:normal; font-weight:700 }
.fa-exclamation-triangle::before { content:"!"; color:var(--warn); font-style:normal;
  font-weight:700 }
.fa-times::before { content:"\\2717"; color:var(--bad); font-style:normal; font-weight:700 }
.table-responsive { margin-bottom:10px }
.alert { font-weight:600 } .popover { display:none }
"""

HEAD: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title><style>{{ style }}</style></head><body><main>
"""

INDEX: Final = (
    HEAD
    + """<h1>{{ title }}</h1>
<p class="lead">{{ lead }}</p>
<nav>{% for suite in suites %}<a href="{{ suite }}.html">{{ suite }}: full results</a>{% endfor %}
</nav>
<div class="verdict {{ verdict[0] }}">{{ verdict[1] }}</div>
<h2>Counts</h2>
<div class="facts">{% for name, value in facts %}
<div class="fact"><b>{{ value }}</b><span>{{ name }}</span></div>{% endfor %}
</div>
{% if reasons %}<h2>Rows that training and validation do not use</h2>
<table><thead><tr><th>why</th><th class="n">rows</th></tr></thead>
<tbody>{% for why, count in reasons %}
<tr><td>{{ why }}</td><td class="n">{{ count }}</td></tr>{% endfor %}
</tbody></table>{% endif %}
{% for suite, outcomes in tables %}<h2>{{ suite }}</h2>
<table class="asked"><thead><tr><th>result</th><th>severity</th><th>expectation</th>
<th>against it</th></tr></thead><tbody>{% for one, mark, rows in outcomes %}
<tr class="{{ mark }}"><td><span class="badge {{ mark }}">{{ words[mark] }}</span></td>
<td><span class="badge {{ one.severity }}">{{ one.severity }}</span></td>
<td>{{ one.sentence }}<br><code>{{ one.name }}</code>
{%- if rows %}<div class="rows">{{ rows }}</div>{% endif %}</td>
<td>{{ one.observed }}</td></tr>{% endfor %}
</tbody></table>
{% endfor %}</main></body></html>
"""
)

SUITE: Final = (
    HEAD
    + """<h1>{{ title }}</h1>
<p class="lead">Each expectation as Great Expectations {{ ge_version }} renders it.</p>
<nav><a href="index.html">back to the summary</a></nav>
{% for section in sections %}{% set section_loop = loop -%}{% include 'section.j2' %}
{% endfor %}</main></body></html>
"""
)
