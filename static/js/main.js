/* One module for every page with the shell. */
import "./charts.js";
import "./copy.js";
import "./menus.js";
import "./once.js";
import "./panel.js";
import "./picker.js";
import "./search.js";
import "./shell.js";
import "./swap.js";
