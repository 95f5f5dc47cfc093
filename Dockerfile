# One image for every AutoLearn process: `docker build -t autolearn .`, then `docker run autolearn serve catalog` and so on.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/autolearn
# Wheels alone, each with its hash: nothing is compiled, and this layer is built anew only when the lock changes.
COPY requirements-image.lock ./
RUN pip --python /opt/autolearn/bin/python install --no-cache-dir --require-hashes --only-binary :all: -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY commands commands
COPY projections projections
COPY adapters adapters
COPY server server
COPY autolearn autolearn
COPY console console
COPY cli cli
RUN pip --python /opt/autolearn/bin/python install --no-cache-dir --no-deps --no-build-isolation . \
    && pip --python /opt/autolearn/bin/python uninstall --yes setuptools

FROM python:3.13-slim
# The volume takes this folder's mode, so that it suits whichever user the master key belongs to (compose: AUTOLEARN_USER);
# what is stored is in folders that this user makes in it.
RUN install -d -m 1777 /var/lib/autolearn
COPY --from=build /opt/autolearn /opt/autolearn
ENV PATH=/opt/autolearn/bin:$PATH PYTHONUNBUFFERED=1 AUTOLEARN_DATA=/var/lib/autolearn/data
USER 1000:1000
VOLUME /var/lib/autolearn
ENTRYPOINT ["autolearn"]
