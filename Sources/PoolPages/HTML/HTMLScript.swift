/// Keeps a page current: fetches it every five seconds and replaces what is in `main`.
enum HTMLScript {
    // The page is well-formed XML, so neither `<` nor `&` may be in it.
    static let text = """
        (function () {
          if (!window.fetch || !window.AbortController) return;
          var live = document.getElementById('live'), main = document.querySelector('main');
          var clock = live.querySelector('time'), state = document.createElement('b');
          var age = document.createElement('span'), button = document.createElement('button');
          var responded = Date.now(), next = responded + 5000, isOn = true, isFailing = false, isBusy = false;
          state.setAttribute('role', 'status');
          button.type = 'button';
          live.append(' ', state, age, ' ', button);
          function reason() {
            if (!isOn) return 'paused';
            if (String(getSelection())) return 'paused: text is selected';
            return main.contains(document.activeElement) ? 'paused: the page is in use' : '';
          }
          function show() {
            var paused = reason(), words = paused || (isFailing ? 'no response' : 'live');
            if (state.textContent !== words) state.textContent = words;
            age.textContent = words === 'no response' ? ' for ' + Math.round((Date.now() - responded) / 1000) + ' s' : '';
            live.className = words === 'no response' ? 'live stale' : 'live';
            button.textContent = isOn ? 'pause' : 'resume';
            return paused;
          }
          function update(text) {
            var page = new DOMParser().parseFromString(text, 'text/html'), fresh = page.querySelector('main');
            if (!fresh) throw new Error('not a page');
            isFailing = false;
            responded = Date.now();
            if (reason()) return;
            main.innerHTML = fresh.innerHTML;
            document.title = page.title;
            document.body.className = page.body.className;
            clock.textContent = page.querySelector('time').textContent;
          }
          function turn() {
            var now = Date.now();
            if (show() || document.hidden) {
              if (!isFailing) responded = now;
              return;
            }
            if (isBusy || next > now) return;
            isBusy = true;
            next = now + 5000;
            var abort = new AbortController(), timer = setTimeout(function () { abort.abort(); }, 4500);
            fetch(location.href, {headers: {accept: 'text/html'}, signal: abort.signal}).then(function (response) {
              if (!response.ok) throw new Error(response.status);
              return response.text();
            }).then(update).catch(function () { isFailing = true; }).then(function () {
              clearTimeout(timer);
              isBusy = false;
              show();
            });
          }
          button.onclick = function () {
            isOn = !isOn;
            show();
          };
          setInterval(turn, 1000);
          show();
        })();
        """
}
