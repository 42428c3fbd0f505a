// The page's own script. k3d draws; this colours, labels, steers by keys, and shows the flat
// picture with the reason where nothing can be drawn in space.
(function () {
    'use strict';

    const $ = (id) => document.getElementById(id);
    const root = document.documentElement;
    const settings = JSON.parse($('settings').textContent);
    const GREY = [128, 128, 128];
    // On screen the median point measures this many pixels at first: less is dust, more hides.
    const SMALLEST_POINT = 2.2;
    const LARGEST_POINT = 9;

    let k3d = null;
    let points = null;
    let naturalSizes = null;
    let firstFactor = 1;
    let mode = 0;
    let work = Promise.resolve();

    function bytesOf(base64) {
        const text = atob(base64);
        const bytes = new Uint8Array(text.length);
        for (let i = 0; i < text.length; i += 1) {
            bytes[i] = text.charCodeAt(i);
        }
        return bytes;
    }

    function say(text) {
        $('status').textContent = text;
    }

    // The codes are those of genomevedic.errors.ErrorCode.
    function fail(code, reason) {
        if (root.dataset.fault) {
            return;
        }
        root.dataset.fault = code;
        root.dataset.state = 'picture';
        $('fault').textContent = `${code}: ${reason} The flat picture is shown instead.`;
        $('fault').hidden = false;
        $('wait').hidden = true;
        $('toggle').disabled = true;
        $('reset').disabled = true;
        $('size').disabled = true;
        $('map').disabled = true;
        document.querySelectorAll('#colors input').forEach((input) => { input.disabled = true; });
    }

    function codeOf(error) {
        const text = String(error && error.message ? error.message : error);
        if (/shader|glsl/i.test(text)) {
            return ['SHADER', `A shader does not work on this graphics driver: ${text}.`];
        }
        if (/texture/i.test(text)) {
            return ['TEXTURE', `An image does not fit this graphics driver: ${text}.`];
        }
        return ['RENDER_CONTEXT', `WebGL cannot draw here: ${text}.`];
    }

    // --- Colour ---------------------------------------------------------------------------------

    function tableOf(current) {
        return bytesOf(current.map ? settings.maps[current.map] : current.table);
    }

    // An index of 255 is a read of which the value is not known.
    function colorsOf(current) {
        const table = tableOf(current);
        const packed = new Uint32Array(256);
        for (let i = 0; i < 255; i += 1) {
            packed[i] = (table[3 * i] << 16) | (table[3 * i + 1] << 8) | table[3 * i + 2];
        }
        packed[255] = (GREY[0] << 16) | (GREY[1] << 8) | GREY[2];
        return packed;
    }

    function recolor() {
        const current = settings.modes[mode];
        const packed = colorsOf(current);
        const index = current.bytes;
        const colors = new Uint32Array(index.length);
        for (let i = 0; i < index.length; i += 1) {
            colors[i] = packed[index[i]];
        }
        points.colors = { data: colors, shape: [colors.length] };
        return k3d.reload(points, { colors: points.colors });
    }

    function drawLegend() {
        const current = settings.modes[mode];
        const legend = $('legend');
        legend.textContent = '';
        $('map-row').hidden = !current.map;
        $('map').value = current.map || '';
        root.dataset.map = current.map || '';
        if (current.swatches) {
            const list = document.createElement('ul');
            list.className = 'swatches';
            current.swatches.forEach(([name, color]) => {
                const item = document.createElement('li');
                item.textContent = name;
                item.style.setProperty('--swatch', color);
                list.append(item);
            });
            legend.append(list);
        } else if (current.map) {
            const table = tableOf(current);
            const stops = [];
            for (let i = 0; i < 255; i += 6) {
                stops.push(`rgb(${table[3 * i]},${table[3 * i + 1]},${table[3 * i + 2]})`);
            }
            const bar = document.createElement('div');
            bar.className = 'bar';
            bar.style.background = `linear-gradient(to right, ${stops.join(',')})`;
            const ticks = document.createElement('div');
            ticks.className = 'ticks';
            current.ticks.forEach((text) => {
                const tick = document.createElement('span');
                tick.textContent = text;
                ticks.append(tick);
            });
            legend.append(bar, ticks);
        }
        current.notes.forEach((text) => {
            const note = document.createElement('p');
            note.className = 'quiet';
            note.textContent = text;
            legend.append(note);
        });
    }

    function setMode(next) {
        mode = next;
        const current = settings.modes[mode];
        root.dataset.color = current.key;
        $(`color-${current.key}`).checked = true;
        drawLegend();
        // One after another: a switch while another is under way would be lost.
        work = work.then(() => (k3d && !root.dataset.fault ? recolor() : null)).then(checkShaders);
        work.then(() => say(`Coloured by ${current.title}.`)).catch(failed);
        return work;
    }

    function setMap() {
        settings.modes[mode].map = $('map').value;
        return setMode(mode);
    }

    // --- Size -----------------------------------------------------------------------------------

    function median(values) {
        const step = Math.max(1, Math.floor(values.length / 10000));
        const some = values.filter((_, i) => i % step === 0).sort();
        return some.length ? some[Math.floor(some.length / 2)] : 0;
    }

    // Return by what all sizes are multiplied so that the median point can be seen at first.
    function factorAtFirst() {
        const [x, y, z] = settings.camera;
        const pixels = $('space').clientHeight
            / (2 * Math.hypot(x, y, z) * Math.tan(settings.fieldOfView / 2));
        const size = median(naturalSizes) * pixels;
        if (!(size > 0)) {
            return 1;
        }
        const uncrowded = Math.min(size * settings.sizeFactor, LARGEST_POINT);
        return Math.max(uncrowded, SMALLEST_POINT) / size;
    }

    function setSize() {
        const factor = firstFactor * 2 ** Number($('size').value);
        $('size-text').textContent = `${Number(factor.toPrecision(2))} × natural`;
        root.dataset.size = $('size').value;
        if (!k3d || root.dataset.fault) {
            return work;
        }
        work = work.then(() => {
            const sizes = naturalSizes.map((size) => size * factor);
            points.point_sizes = { data: sizes, shape: [sizes.length] };
            return k3d.reload(points, { point_sizes: points.point_sizes });
        });
        return work.catch(failed);
    }

    // --- Camera ---------------------------------------------------------------------------------

    function setCamera(camera) {
        k3d.setCamera(camera);
        k3d.render();
    }

    // A window that is higher than wide sees less to the sides: step back.
    function home() {
        const aspect = $('space').clientWidth / Math.max(1, $('space').clientHeight);
        const back = Math.max(1, 1 / aspect);
        return settings.camera.map((value, i) => (i < 3 ? value * back : value));
    }

    const minus = (a, b) => a.map((value, i) => value - b[i]);
    const plus = (a, b) => a.map((value, i) => value + b[i]);
    const times = (a, k) => a.map((value) => value * k);
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const cross = (a, b) => [
        a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0],
    ];

    // Turn `a` about the unit vector `axis` (Rodrigues' formula).
    function turned(a, axis, angle) {
        const side = times(cross(axis, a), Math.sin(angle));
        const along = times(axis, dot(axis, a) * (1 - Math.cos(angle)));
        return plus(plus(times(a, Math.cos(angle)), side), along);
    }

    function orbit(yaw, pitch, zoom) {
        const camera = k3d.getWorld().controls.getCameraArray();
        const target = camera.slice(3, 6);
        const up = camera.slice(6, 9);
        let arm = turned(minus(camera.slice(0, 3), target), up, yaw);
        const right = cross(up, arm);
        const length = Math.hypot(...right);
        if (pitch && length > 1e-9) {
            const next = turned(arm, times(right, 1 / length), pitch);
            // Not over the pole, where up and down change places.
            if (Math.hypot(...cross(up, next)) > 0.03 * Math.hypot(...next)) {
                arm = next;
            }
        }
        setCamera([...plus(target, times(arm, zoom)), ...target, ...up]);
    }

    // --- Labels ---------------------------------------------------------------------------------

    function makeLabels() {
        settings.labels.forEach((label) => {
            const element = document.createElement('span');
            element.textContent = label.text;
            element.style.fontSize = `${label.em}em`;
            $('labels').append(element);
            label.element = element;
            label.width = element.offsetWidth;
            label.height = element.offsetHeight;
        });
    }

    function placeLabels() {
        const { camera } = k3d.getWorld();
        const view = camera.matrixWorldInverse.elements;
        const lens = camera.projectionMatrix.elements;
        const row = (m, i, p) => m[i] * p[0] + m[4 + i] * p[1] + m[8 + i] * p[2] + m[12 + i];
        const width = $('space').clientWidth;
        const height = $('space').clientHeight;
        const taken = [];
        settings.labels.forEach((label) => {
            const seen = [0, 1, 2].map((i) => row(view, i, label.place));
            const w = row(lens, 3, seen);
            const x = (row(lens, 0, seen) / w + 1) * 0.5 * width;
            const y = (1 - row(lens, 1, seen) / w) * 0.5 * height;
            // A long one would run out of the window at the side.
            const left = x - label.width * { left: 0, center: 0.5, right: 1 }[label.anchor];
            const inside = Math.min(Math.max(left, 4), Math.max(4, width - label.width - 4));
            // Of two that would lie over each other the second is left out.
            const isFree = taken.every((other) => Math.abs(y - other.y) >= label.height
                || inside > other.right + 2 || inside + label.width + 2 < other.left);
            const isSeen = w > 0 && x >= 0 && x <= width && y >= 0 && y <= height && isFree;
            if (isSeen) {
                taken.push({ y, left: inside, right: inside + label.width });
            }
            label.element.hidden = !isSeen;
            label.element.style.transform = `translate(${inside}px, ${y}px) translate(0, -50%)`;
        });
    }

    // --- Keys and controls ----------------------------------------------------------------------

    function step(id, by) {
        $(id).value = Number($(id).value) + by;
        setSize();
    }

    function toggle() {
        const toPicture = root.dataset.state === 'space';
        root.dataset.state = toPicture ? 'picture' : 'space';
        $('toggle').setAttribute('aria-pressed', String(toPicture));
        say(toPicture ? 'The flat picture is shown.' : 'The reads are shown in space.');
    }

    const KEYS = {
        ArrowLeft: () => orbit(-0.1, 0, 1),
        ArrowRight: () => orbit(0.1, 0, 1),
        ArrowUp: () => orbit(0, -0.1, 1),
        ArrowDown: () => orbit(0, 0.1, 1),
        '+': () => orbit(0, 0, 1 / 1.15),
        '=': () => orbit(0, 0, 1 / 1.15),
        '-': () => orbit(0, 0, 1.15),
        0: () => setCamera(home()),
        '[': () => step('size', -0.25),
        ']': () => step('size', 0.25),
        c: () => setMode((mode + 1) % settings.modes.length),
        p: toggle,
    };

    function onKey(event) {
        if (event.ctrlKey || event.metaKey || event.altKey || !k3d || root.dataset.fault) {
            return;
        }
        const inControl = /^(INPUT|SELECT)$/.test(event.target.tagName);
        if (inControl && (event.key.startsWith('Arrow') || event.target.tagName === 'SELECT')) {
            return;
        }
        const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
        if (act) {
            act();
            event.preventDefault();
        }
    }

    function makeControls() {
        settings.modes.forEach((each, i) => {
            const label = document.createElement('label');
            const input = document.createElement('input');
            Object.assign(input, { type: 'radio', name: 'color', id: `color-${each.key}` });
            input.addEventListener('change', () => setMode(i));
            label.append(input, each.title);
            $('colors').append(label);
        });
        Object.keys(settings.maps).forEach((name) => $('map').append(new Option(name, name)));
        $('map').addEventListener('change', setMap);
        $('size').addEventListener('input', setSize);
        $('reset').addEventListener('click', () => setCamera(home()));
        $('toggle').addEventListener('click', toggle);
        document.addEventListener('keydown', onKey);
    }

    // --- Start ----------------------------------------------------------------------------------

    function failed(error) {
        fail(...codeOf(error));
    }

    // three.js writes of a shader that does not compile to the console alone.
    function checkShaders() {
        const programs = k3d ? k3d.getWorld().renderer.info.programs : [];
        const broken = (programs || []).find((p) => p.diagnostics && !p.diagnostics.runnable);
        if (broken) {
            fail('SHADER', 'A shader does not work on this graphics driver.');
        }
    }

    function hasWebGL() {
        const canvas = document.createElement('canvas');
        const context = canvas.getContext('webgl2');
        const lose = context && context.getExtension('WEBGL_lose_context');
        if (lose) {
            lose.loseContext();
        }
        return Boolean(context);
    }

    function loadK3D() {
        const script = document.createElement('script');
        script.textContent = fflate.strFromU8(
            fflate.unzlibSync(bytesOf($('k3d-source').textContent)),
        );
        document.head.append(script);
        return new Promise((resolve, reject) => { require(['k3d'], resolve, reject); });
    }

    async function start() {
        const lib = await loadK3D();
        const scene = bytesOf($('k3d-scene').textContent);
        // k3d tells of itself in the console; nobody looks for it there in a page to be read.
        k3d = await lib.CreateK3DAndLoadBinarySnapshot(scene.buffer, $('space'));
        points = Object.values(k3d.getWorld().ObjectsListJson).find((each) => each.type === 'Points');
        naturalSizes = Float32Array.from(points.point_sizes.data);
        settings.modes.forEach((each) => {
            each.bytes = fflate.unzlibSync(bytesOf(each.index));
        });
        // Heard before k3d hears it, which would lay a message of its own over the picture.
        $('space').addEventListener('webglcontextlost', (event) => {
            event.stopImmediatePropagation();
            fail('RENDER_CONTEXT', 'The browser has taken the WebGL context away.');
        }, true);
        firstFactor = factorAtFirst();
        makeLabels();
        k3d.on(k3d.events.BEFORE_RENDER, placeLabels);
        await setSize();
        await setMode(mode);
        setCamera(home());
        if (!root.dataset.fault) {
            root.dataset.state = 'space';
            $('wait').hidden = true;
        }
    }

    makeControls();
    mode = settings.first;
    root.dataset.color = settings.modes[mode].key;
    $(`color-${settings.modes[mode].key}`).checked = true;
    drawLegend();
    $('size-text').textContent = '';
    // For those who look into the page from its console, and for its tests.
    window.genomevedic = { get k3d() { return k3d; }, get work() { return work; } };
    if (hasWebGL()) {
        start().catch(failed);
    } else {
        fail('RENDER_CONTEXT', 'This browser has no WebGL 2, or it is switched off.');
    }
}());
