/// The style of the pages: one column, in the colors that the reader's system prefers.
enum HTMLStyle {
    static let text = """
        :root{color-scheme:light dark;--bg:#ffffff;--ink:#16181d;--soft:#5a606b;--line:#e3e5e9;--fill:#f4f5f7;--bar:#3d434f;--idle:#8b93a1;--bad:#b42318;--tint:#fbe9e7}
        @media (prefers-color-scheme:dark){:root{--bg:#121417;--ink:#e8eaee;--soft:#9ba2ae;--line:#2a2e35;--fill:#1b1e23;--bar:#c3c9d4;--idle:#7b8390;--bad:#ff8d80;--tint:#32221f}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 Inter,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;border-top:3px solid var(--line)}
        body.bad{border-top-color:var(--bad)}
        .wrap{max-width:1200px;margin:0 auto;padding:0 24px}
        a{color:inherit;text-decoration-color:var(--idle);text-underline-offset:3px}
        a:hover{text-decoration-color:currentColor}
        :focus-visible{outline:2px solid currentColor;outline-offset:3px;border-radius:2px}
        code,.mono{font-family:ui-monospace,"SF Mono","JetBrains Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em;font-variant-ligatures:none;overflow-wrap:anywhere}
        h1,h2,p,dl,dd,ol,ul,figure{margin:0;padding:0}
        bdi,h1,p,dd,li{overflow-wrap:anywhere}
        header .wrap{display:flex;flex-wrap:wrap;align-items:baseline;gap:4px 28px;padding-top:18px;padding-bottom:18px}
        .brand{font-weight:650;letter-spacing:-.01em}
        nav{display:flex;flex-wrap:wrap;gap:2px 20px}
        nav a{color:var(--soft);text-decoration:none;padding:2px 0}
        nav a:hover{color:var(--ink)}
        nav a[aria-current]{color:var(--ink);font-weight:600}
        .live{margin-left:auto;color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums}
        .live b{font-weight:400;margin-left:6px}
        .live button{font:inherit;color:inherit;background:none;border:0;padding:2px 0 2px 6px;cursor:pointer;text-decoration:underline;text-underline-offset:3px;text-decoration-color:var(--idle)}
        .stale b,.stale span{color:var(--bad);font-weight:600}
        .verdict{padding:36px 0 44px}
        .head{padding:24px 0 32px}
        .tag{display:flex;flex-wrap:wrap;align-items:center;gap:2px 9px;font-weight:600}
        .bad .tag{color:var(--bad)}
        .tag svg{flex:none}
        .tag span{color:var(--soft);font-weight:400}
        .banner{padding:14px 0 0}
        h1{font-size:clamp(25px,3.4vw,36px);line-height:1.18;letter-spacing:-.022em;font-weight:650;margin-top:10px;text-wrap:balance}
        .name{font-size:clamp(14px,1.5vw,17px);margin-top:14px}
        .name a{text-decoration-thickness:1px}
        .lead{font-size:clamp(16px,1.5vw,18px);margin-top:6px;max-width:62ch}
        .also{list-style:none;margin-top:20px}
        .also li+li{margin-top:6px}
        .also b{font-weight:600;color:var(--bad)}
        .two{display:grid;grid-template-columns:minmax(0,1fr);gap:32px 64px;margin-top:34px}
        @media (min-width:880px){.two.both{grid-template-columns:minmax(0,1.15fr) minmax(0,1fr)}}
        h2{font-size:13px;font-weight:400;color:var(--soft);letter-spacing:.01em}
        h2 b{color:var(--ink);font-weight:600;font-size:17px;letter-spacing:-.012em;margin-right:8px}
        dl{display:grid;grid-template-columns:104px minmax(0,1fr);gap:9px 16px;max-width:90ch}
        dt{color:var(--soft)}
        h2+dl,h2~ul{margin-top:14px}
        .warnings{padding-left:18px}
        .todo h2{margin-bottom:9px;font-size:15px}
        .todo ol{list-style:none;counter-reset:n}
        .todo li{counter-increment:n;position:relative;padding-left:30px}
        .todo li+li{margin-top:14px}
        .todo li:before{content:counter(n);position:absolute;left:0;color:var(--soft)}
        .todo small{display:block;font-size:13px;color:var(--soft)}
        .q,.z{color:var(--soft)}
        section+section{border-top:1px solid var(--line);padding:32px 0 40px}
        .charts{display:grid;grid-template-columns:minmax(0,1fr);gap:32px 48px;margin-top:20px}
        @media (min-width:760px){.charts{grid-template-columns:repeat(3,minmax(0,1fr))}.charts.four{grid-template-columns:repeat(2,minmax(0,1fr))}}
        @media (min-width:1080px){.charts.four{grid-template-columns:repeat(4,minmax(0,1fr));gap:32px}}
        figcaption span{display:block;color:var(--soft);font-size:13px}
        figcaption b{display:block;font-size:26px;font-weight:600;letter-spacing:-.02em;line-height:1.2}
        figcaption small{font-size:13px;font-weight:400;color:var(--soft);letter-spacing:0;margin-left:5px}
        .plot{position:relative;margin-top:10px}
        .plot svg{display:block;width:100%;height:84px;overflow:visible}
        .plot path{fill:none;vector-effect:non-scaling-stroke}
        .line{stroke:var(--bar);stroke-width:1.75;stroke-linejoin:round}
        .line.f{stroke:var(--bad)}
        .plot .tint{fill:var(--tint)}
        .base{stroke:var(--line)}
        .most{stroke:var(--soft);stroke-dasharray:3 4}
        .plot .axis{height:20px;font-size:12px}
        .axis text,.over text{fill:var(--soft)}
        .axis .t{fill:var(--bad)}
        .plot .over{position:absolute;inset:0 0 auto;font-size:12px}
        .over text{paint-order:stroke;stroke:var(--bg);stroke-width:6px}
        .use{display:block;width:100%;height:10px;margin-top:18px}
        .o{fill:var(--fill);stroke:var(--line)}rect.a{fill:var(--bar)}rect.i{fill:url(#hatch)}rect.c{fill:url(#dots)}rect.f{fill:var(--bad)}
        #hatch path{stroke:var(--idle);stroke-width:2}
        #dots circle{fill:var(--bar)}
        .defs{position:absolute}
        .key{display:flex;flex-wrap:wrap;gap:4px 24px;margin-top:10px;font-size:13px;color:var(--soft)}
        .key b{color:var(--ink);font-weight:600}
        .key svg{width:10px;height:10px;margin-right:7px;vertical-align:-1px}
        table,figure,.key{font-variant-numeric:tabular-nums}
        table{width:100%;border-collapse:collapse;margin-top:14px;font-size:14px}
        th,td{padding:9px 0 9px 22px;text-align:right;font-weight:400;vertical-align:baseline;white-space:nowrap;border-bottom:1px solid var(--line)}
        thead th{color:var(--soft);font-size:13px;padding-top:0}
        th.l,td.l{text-align:left;padding-left:32px;white-space:normal}
        th:first-child,td:first-child{text-align:left;padding-left:0;white-space:normal}
        tbody small{display:block;color:var(--soft);font-size:13px;overflow-wrap:anywhere}
        .group th{padding-top:20px}
        .sum th,.sum td{color:var(--soft);border-bottom:0}
        .hot{color:var(--bad);font-weight:600}
        .mini{width:96px;height:8px;vertical-align:1px;margin-right:6px}
        .n{display:inline-block;min-width:3ch}
        .note{margin-top:12px;font-size:13px;color:var(--soft)}
        form{display:flex;flex-wrap:wrap;gap:10px 14px;align-items:end;margin-top:18px}
        label{font-size:13px;color:var(--soft);display:block;min-width:0;max-width:100%}
        input{display:block;margin-top:3px;font:inherit;font-size:14px;color:var(--ink);background:var(--bg);border:1px solid var(--soft);border-radius:5px;padding:6px 8px;width:220px;max-width:100%;height:36px}
        input.s{width:96px}
        ::placeholder{color:var(--soft);opacity:1}
        form button{font:inherit;font-size:14px;height:36px;padding:0 14px;color:var(--bg);background:var(--ink);border:0;border-radius:5px;cursor:pointer}
        footer{border-top:1px solid var(--line);color:var(--soft);font-size:13px;padding:22px 0 48px}
        footer p+p{margin-top:5px;max-width:90ch}
        .facts{display:flex;flex-wrap:wrap;gap:0 14px}
        @media (max-width:720px){
        .wrap{padding:0 16px}.verdict{padding:22px 0 32px}.live{margin-left:0;width:100%}
        dl{grid-template-columns:minmax(0,1fr);gap:1px}dd+dt{margin-top:11px}dt{font-size:13px}
        table,thead,tbody{display:block}
        tr{display:grid;grid-template-columns:repeat(var(--g),minmax(0,1fr));padding:10px 0 9px;border-bottom:1px solid var(--line);column-gap:8px}
        thead tr{padding-top:0}.sum{border-bottom:0}
        th,td,th.l,td.l{border:0;padding:0;text-align:right;white-space:normal}
        th.l,td.l{text-align:left}
        tr>:first-child{grid-column:1/-1;padding-bottom:3px}
        thead tr>:first-child{display:none}
        .group th{padding-top:8px}
        .mini{display:none}
        thead th{font-size:12px;align-self:end;line-height:1.25}
        }
        .g1{--g:1}.g2{--g:2}.g3{--g:3}.g4{--g:4}.g5{--g:5}.g6{--g:6}.g8{--g:4}
        """
}
