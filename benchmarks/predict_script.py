"""What an analyst would write instead: predict a table with an exported model. Arguments: model, table, answer."""

import sys

import pandas as pd
import skops.io

model_file, table, answer = sys.argv[1:]
model = skops.io.load(model_file, trusted=skops.io.get_untrusted_types(file=model_file))
frame = pd.read_csv(table)
frame["time_hour"] = pd.to_datetime(frame["time_hour"]).dt.tz_localize(None).astype("datetime64[us]").astype("int64")
pd.DataFrame({"prediction": model.predict(frame)}).to_csv(answer, index=False)
