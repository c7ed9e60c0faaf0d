-- How late records are was learned from how late they were found. It is learned anew.
UPDATE pages_stream SET lags = '';
UPDATE collect_stream SET lags = '';
