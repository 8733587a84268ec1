// Says when this page has grown old. The page reads the same without it.
"use strict";
(function () {
  var root = document.documentElement;
  var generated = Number(root.dataset.generated);
  var limit = Number(root.dataset.staleAfter);
  var note = document.getElementById("stale");
  if (!generated || !limit || !note) return;

  function check() {
    var age = Math.floor(Date.now() / 1000) - generated;
    if (age <= limit) return;
    var minutes = Math.floor(age / 60);
    var size = minutes < 120 ? minutes + " minutes" : minutes < 2880 ? Math.floor(minutes / 60) + " hours" : Math.floor(minutes / 1440) + " days";
    note.textContent = "This page is " + size + " old. Reload it; if it stays old, publishing has stalled and what it shows may be out of date.";
    note.hidden = false;
  }

  check();
  setInterval(check, 30000);
})();
