'use strict';

/* What the dashboard adds to asv's graphs; patches.py says where it is called. */
$.vekt = {
    /* Which values of each parameter are drawn at first: all libraries side by side, and of the
       others as many as leave the number of lines readable.  `given` has what the address says. */
    selection: function (params, names, given, most) {
        var chosen = [];
        var count = 1;
        var order = $.map(names, function (name, k) { return k; });
        order.sort(function (a, b) {
            return (names[b] === 'library') - (names[a] === 'library') || a - b;
        });
        $.each(order, function (i, k) {
            var values = $.map(params[k], function (value, j) { return j; });
            var asked = given['p-' + names[k]];
            if (asked !== undefined) {
                chosen[k] = $.grep(values, function (j) { return asked.includes(params[k][j]); });
            } else if (names[k] === 'library') {
                chosen[k] = values;
            } else {
                chosen[k] = values.slice(0, Math.max(1, Math.floor(most / count)));
            }
            if (!(given['x-axis'] || []).includes(names[k])) { // which makes no lines of its own
                count *= Math.max(1, chosen[k].length);
            }
        });
        return chosen;
    },

    /* A library that is not installed has no line, and no place in the legend. */
    is_empty: function (series) {
        return series.every(function (point) { return point[1] === null; });
    },

    /* The series, and a straight line for each of the benchmark's marks. */
    with_marks: function (graphs, revisions, marks) {
        var first = Math.min.apply(null, revisions);
        var last = Math.max.apply(null, revisions);
        graphs = $.grep(graphs, function (graph) { return !graph.is_mark; });
        $.each(marks || {}, function (label, value) {
            graphs.push({
                data: [[first, value], [last, value]],
                label: label + ', ' + $.asv.pretty_unit(value, 'seconds'),
                color: '#222',
                lines: {lineWidth: 2},
                points: {show: false},
                is_mark: true
            });
        });
        return graphs;
    },

    /* Bars of all series side by side, with names for places: flot's plugins for either do not
       work together, as one computes with the names. */
    bars: function (graphs, options) {
        var width = 0.8 / Math.max(1, graphs.length);
        var labels = [];
        graphs = $.map(graphs, function (graph, i) {
            var shift = (i - (graphs.length - 1) / 2) * width;
            var data = $.map(graph.data, function (point, k) {
                labels[k] = [k, $('<span>').text('' + point[0]).html()];
                return [[k + shift, point[1]]];
            });
            return {data: data, label: graph.label};
        });
        options.xaxis.ticks = labels;
        options.xaxis.tickLength = 0;
        options.xaxis.min = -0.5;
        options.xaxis.max = labels.length - 0.5;
        options.series = {bars: {show: true, barWidth: width, align: 'center', fill: 0.8}};
        return graphs;
    }
};
