// The console's own script; pages work without it where they can.
"use strict";
