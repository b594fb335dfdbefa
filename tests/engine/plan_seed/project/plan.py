"""The plan of the tutorial, as it stands there, inside an experiment."""

from ir import (
    Drmm,
    Evaluate,
    Learner,
    PointwiseTrainer,
    Random,
    Reranker,
    RobustDataset,
    WordvecUnkVocab,
    prepare_dataset,
)

from xpm_engine import experiment

max_epoch = 5

if __name__ == "__main__":
    with experiment("workspace", "drmm"):
        # fmt: off
        # Prepare the collection
        random = Random()
        wordembs = prepare_dataset("edu.stanford.glove.6b.50")
        vocab = WordvecUnkVocab(data=wordembs, random=random)
        robust = RobustDataset.prepare().submit()

        # Train with OpenNIR DRMM model
        ranker = Drmm(vocab=vocab).tag("ranker", "drmm")
        predictor = Reranker()
        trainer = PointwiseTrainer()
        learner = Learner(trainer=trainer, random=random, ranker=ranker,
            valid_pred=predictor, train_dataset=robust.subset('trf1'),
            val_dataset=robust.subset('vaf1'), max_epoch=max_epoch)
        model = learner.submit()

        # Evaluate
        Evaluate(dataset=robust.subset('f1'), model=model, predictor=predictor).submit()
        # fmt: on
