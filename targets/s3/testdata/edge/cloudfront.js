// Stands in for the module of CloudFront Functions. A key that is not there is an error, as in the service.
const store = {
  values: {},
  kvs: () => ({
    async get(key) {
      if (!(key in store.values)) throw new Error('KeyNotFound');
      return store.values[key];
    },
  }),
};
export default store;
